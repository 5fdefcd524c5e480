/* channel: a connected pair of unix sockets. The host itself opens one end, because nginx can only wait for sockets that it has
   connected. Nothing stays in the file system, not even after a crash. */
#ifndef BRAZE_CHANNEL_H
#define BRAZE_CHANNEL_H

#include <stddef.h>

struct braze_channel {
  int listening;  /* -1: not open */
  int anchor;     /* the socket's file, which no longer has a name */
  int connection; /* our end; -1: none */
};

/* Makes a channel that is not open. */
void braze_channel_init(struct braze_channel *channel);

/* Opens the channel and writes the path to connect to. Returns 0 or an error of errno.h. */
int braze_channel_open(struct braze_channel *channel, char *path, size_t size);

/* Accepts the connection that this process has just made, and closes all that was needed for it. Returns our end, which is non-blocking,
   or -1; the same one each time. Never waits. */
int braze_channel_accept(struct braze_channel *channel);

/* What reads at the other end gets a byte. Never waits. */
void braze_channel_poke(const struct braze_channel *channel);

void braze_channel_close(struct braze_channel *channel);

#endif
