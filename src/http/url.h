/* url: the parts of a URL, checked as strictly as a request needs them: no user, no query, no "." or ".." in the path. */
#ifndef BRAZE_URL_H
#define BRAZE_URL_H

#include <stdbool.h>
#include <stddef.h>

/* One URL taken apart; the parts point into the text. */
struct braze_url {
  const char *host;
  size_t host_length; /* brackets included */
  const char *port;
  size_t port_length; /* 0 = none */
  const char *path;
  size_t path_length;
  bool bad_port; /* the port is what is wrong */
};

/* Takes apart and checks what follows "://". NULL, or what is wrong: "has no host". */
const char *braze_url_read(const char *text, size_t length, struct braze_url *url);

/* The same where a host and, at most, a port are allowed. */
const char *braze_url_read_authority(const char *text, size_t length, struct braze_url *url);

/* Whether a host name or address (no brackets) can only mean this machine. */
bool braze_url_is_loopback(const char *host);

#endif
