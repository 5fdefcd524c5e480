/* receiving: what arrives in an attempt, up to its limits. */
#ifndef BRAZE_RECEIVING_H
#define BRAZE_RECEIVING_H

#include "http/transfer_state.h"

/* Sets the callbacks that take what arrives. */
CURLcode braze_receiving_set(struct braze_transfer *transfer);

/* An attempt begins: nothing has arrived. */
void braze_receiving_begin(struct braze_transfer *transfer);

/* Whether a response that libcurl takes for complete is: it takes for it what ends inside the header, and what only the end of the
   connection ends. */
bool braze_receiving_is_whole(const struct braze_transfer *transfer);

#endif
