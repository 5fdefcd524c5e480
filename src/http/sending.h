/* sending: the moment at which an attempt sends its request: once at most, never after a cancel, and only on a connection that is fit
   for it. */
#ifndef BRAZE_SENDING_H
#define BRAZE_SENDING_H

#include "http/transfer_state.h"

/* Sets the callbacks that mark the moment. */
CURLcode braze_sending_set(struct braze_transfer *transfer);

/* The attempt is over: finds out whether the request was sent, where no callback has told. */
void braze_sending_end(struct braze_transfer *transfer);

#endif
