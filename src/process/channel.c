/* channel: see channel.h. */
#define _GNU_SOURCE /* O_PATH, accept4, struct ucred */
#include "process/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/descriptor.h"

#ifdef __linux__

static void close_both(struct braze_channel *channel) {
  int code = errno;
  if (channel->listening >= 0) close(channel->listening);
  if (channel->anchor >= 0) close(channel->anchor);
  channel->listening = channel->anchor = -1;
  errno = code;
}

/* Binds to a file in a folder that only this user may enter, takes hold of the file, and removes both at once. */
static bool bind_without_name(struct braze_channel *channel) {
  struct sockaddr_un address;
  char folder[] = "/tmp/braze.XXXXXX";
  bool bound;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (!mkdtemp(folder)) return false;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/wake", folder);
  bound = bind(channel->listening, (struct sockaddr *)&address, sizeof address) == 0;
  if (bound) {
    channel->anchor = braze_descriptor_raise(open(address.sun_path, O_PATH | O_CLOEXEC));
    unlink(address.sun_path);
  }
  rmdir(folder);
  return bound && channel->anchor >= 0;
}

bool braze_channel_open(struct braze_channel *channel, char *path, size_t size) {
  channel->anchor = -1;
  channel->listening = braze_descriptor_raise(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (channel->listening >= 0 && bind_without_name(channel) && listen(channel->listening, 1) == 0) {
    snprintf(path, size, "/proc/self/fd/%d", channel->anchor);
    return true;
  }
  close_both(channel);
  return false;
}

/* Whether this very process is at the other end. */
static bool is_ours(int connection) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

int braze_channel_accept(struct braze_channel *channel) {
  int connection = channel->listening < 0 ? -1 : braze_descriptor_raise(accept4(channel->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection >= 0 && !is_ours(connection)) {
    close(connection);
    connection = -1;
  }
  close_both(channel);
  return connection;
}

#else

bool braze_channel_open(struct braze_channel *channel, char *path, size_t size) {
  (void)path, (void)size;
  channel->listening = channel->anchor = -1;
  errno = ENOSYS;
  return false;
}

int braze_channel_accept(struct braze_channel *channel) {
  (void)channel;
  return -1;
}

#endif
