/* account: the key and the endpoint that a client is made with, checked for what people put there by mistake. */
#ifndef BRAZE_ACCOUNT_H
#define BRAZE_ACCOUNT_H

#include "http/settings.h"

/* Both return 0; ENOMEM; or EINVAL for a value that is refused: message says what is wrong and hint what to do, neither with a value that
   may be a secret. */

int braze_account_set_api_key(struct braze_settings *settings, const char *key, size_t length, struct braze_buffer *message,
                              struct braze_buffer *hint);
int braze_account_set_endpoint(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                               struct braze_buffer *hint);

#endif
