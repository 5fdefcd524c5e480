/* channel: a connected pair of unix sockets of which the host itself opens one end, because it can only wait for sockets that it
   connected (nginx). Nothing stays in the file system, not even after a crash. */
#ifndef BRAZE_CHANNEL_H
#define BRAZE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct braze_channel {
  int listening; /* -1 = not open */
  int anchor;    /* the socket's file, which has no name any more */
};

/* Opens it and writes the path to connect to. False: errno says why not. */
bool braze_channel_open(struct braze_channel *channel, char *path, size_t size);

/* Takes the connection that was just made by this process and closes the rest; the connection's descriptor, which does not
   block, or -1. Never waits. */
int braze_channel_accept(struct braze_channel *channel);

#endif
