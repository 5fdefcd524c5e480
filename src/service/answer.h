/* answer: whether a whole 2xx is a success, where there is no Lua to read it. */
#ifndef BRAZE_ANSWER_H
#define BRAZE_ANSWER_H

#include "http/outcome.h"
#include "http/request.h"

/* The operation that a call makes: its own, or the one whose method and path a route has. NULL: none that is known. */
const struct braze_operation *braze_answer_operation(const struct braze_request *request);

/* Whether the outcome of a request, which is answered, holds what a success of its operation does. */
bool braze_answer_is_success(const struct braze_request *request, const struct braze_outcome *outcome);

#endif
