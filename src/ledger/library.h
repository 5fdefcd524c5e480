/* library: finds the store of a URL, in a shared object of its own. */
#ifndef BRAZE_LIBRARY_H
#define BRAZE_LIBRARY_H

#include "ledger/store.h"

/* The kind of store that the URL, or path, is for: "sqlite", "postgresql" or "redis"; NULL: none that is known. */
const char *braze_library_kind(const char *url);

/* Loads the store of that kind, once: from beside braze.so, or else from one of the places. NULL: the words say why. */
const struct braze_store_functions *braze_library_load(const char *kind, const char *places, struct braze_store_words *words);

#endif
