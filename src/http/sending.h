/* sending: the moment when the request of an attempt leaves. At most once in an attempt, never after a cancel, and on no
   connection that is not fit for it. */
#ifndef BRAZE_SENDING_H
#define BRAZE_SENDING_H

#include "http/transfer.h"

/* Sets the handle's callbacks that mark the moment. */
CURLcode braze_sending_set(struct braze_transfer *transfer);

/* The attempt is over: finds out whether the request left where no callback has told. */
void braze_sending_end(struct braze_transfer *transfer);

#endif
