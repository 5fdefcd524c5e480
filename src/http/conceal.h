/* conceal: takes secrets out of the outcome of an attempt. */
#ifndef BRAZE_CONCEAL_H
#define BRAZE_CONCEAL_H

#include "http/call_state.h"
#include "base/secret.h"

/* Masks the secrets in every text of the call's outcome, before anything else sees it. */
void braze_conceal(const struct braze_secrets *secrets, struct braze_call *call);

#endif
