/* explain: an outcome in words: what happened, with which value, and what to do next. */
#ifndef BRAZE_EXPLAIN_H
#define BRAZE_EXPLAIN_H

#include "base/buffer.h"
#include "http/limits.h"
#include "http/outcome.h"
#include "http/request.h"
#include "http/settings.h"

/* What the JSON of a whole 2xx turned out to be. */
enum braze_answer {
  BRAZE_ANSWER_SUCCESS,
  BRAZE_ANSWER_NOT_JSON,
  BRAZE_ANSWER_NOT_OBJECT,
  BRAZE_ANSWER_QUEUED,
  BRAZE_ANSWER_OTHER_MESSAGE,
  BRAZE_ANSWER_NO_FIELD,   /* success without the field that the operation's success must hold */
  BRAZE_ANSWER_OTHER_VALUE /* success with another one than the call has given */
};

struct braze_said {
  const char *text; /* the service's own message, NULL where it sent none */
  size_t length;
  const char *value; /* of that field, where it is not the call's own; NULL where it is not known */
  size_t value_length;
};

/* Appends one line each: what happened, and what to do; what came from outside is escaped. The outcome is one that failed; it is not always
 * the call's own. */
void braze_explain(const struct braze_settings *settings, const struct braze_request *request, const struct braze_limits *limits,
                   const struct braze_outcome *outcome, enum braze_answer answer, struct braze_said said, double epoch,
                   struct braze_buffer *message, struct braze_buffer *hint);

#define BRAZE_MESSAGE_LIMIT 2048u

#endif
