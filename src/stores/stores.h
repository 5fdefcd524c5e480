/* stores: what the stores share. Each is a shared object of its own, which braze.so loads when a URL of its kind is used. */
#ifndef BRAZE_STORES_H
#define BRAZE_STORES_H

#include "ledger/store.h"

#if defined(__GNUC__)
#define BRAZE_STORE_EXPORT __attribute__((visibility("default")))
#else
#define BRAZE_STORE_EXPORT
#endif

/* What another program has written there. */
#define BRAZE_STORE_ODD "a record in it can't be read: it has texts or numbers that braze does not write"
#define BRAZE_STORE_ODD_HINT "look which other program writes in it; what it wrote has to be put right by hand"

/* Found by its name once the object is loaded: BRAZE_STORE_SYMBOL. */
extern BRAZE_STORE_EXPORT const struct braze_store_functions braze_store;

#endif
