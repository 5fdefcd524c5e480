/* conceal: takes what is secret out of what came of an attempt. */
#ifndef BRAZE_CONCEAL_H
#define BRAZE_CONCEAL_H

#include "http/call.h"
#include "base/secret.h"

/* Of every text in the call's outcome, before anything else sees it. */
void braze_conceal(const struct braze_secrets *secrets, struct braze_call *call);

#endif
