/* link: the query of the next page in a response's header Link. */
#ifndef BRAZE_LINK_H
#define BRAZE_LINK_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the query of the link with rel="next" in the value of a header Link: of a path, or of a URL whose host and port are
   `authority`. A link to another host does not count: the key is sent to no other. *query points into the text. */
bool braze_link_next(const char *text, size_t length, const char *authority, const char **query, size_t *query_length);

#endif
