/* channel: see channel.h. */
#define _GNU_SOURCE /* O_PATH, accept4, struct ucred */
#include "process/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "process/descriptor.h"
#include "process/wake.h"

void braze_channel_init(struct braze_channel *channel) {
  channel->listening = channel->anchor = channel->connection = -1;
}

void braze_channel_poke(const struct braze_channel *channel) {
  braze_wake_notify(channel->connection);
}

void braze_channel_close(struct braze_channel *channel) {
  int connection = braze_channel_accept(channel);
  if (connection >= 0) close(connection);
  channel->connection = -1;
}

#ifdef __linux__

static void close_both(struct braze_channel *channel) {
  if (channel->listening >= 0) close(channel->listening);
  if (channel->anchor >= 0) close(channel->anchor);
  channel->listening = channel->anchor = -1;
}

/* Binds to a file in a folder that only this user may enter, opens the file, and removes both at once. Returns 0 or an error. */
static int bind_without_name(struct braze_channel *channel) {
  struct sockaddr_un address;
  char folder[] = "/tmp/braze.XXXXXX";
  int failure = 0;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (!mkdtemp(folder)) return errno;
  braze_text_print(address.sun_path, sizeof address.sun_path, "%s/wake", folder);
  if (bind(channel->listening, (struct sockaddr *)&address, sizeof address) == 0) {
    channel->anchor = braze_descriptor_raise(open(address.sun_path, O_PATH | O_CLOEXEC));
    if (channel->anchor < 0) failure = -channel->anchor;
    unlink(address.sun_path);
  } else {
    failure = errno;
  }
  rmdir(folder);
  return failure;
}

int braze_channel_open(struct braze_channel *channel, char *path, size_t size) {
  int failure;
  channel->listening = braze_descriptor_raise(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  failure = channel->listening < 0 ? -channel->listening : bind_without_name(channel);
  if (failure == 0 && listen(channel->listening, 1) != 0) failure = errno;
  if (failure == 0)
    braze_text_print(path, size, "/proc/self/fd/%d", channel->anchor);
  else
    close_both(channel);
  return failure;
}

/* Whether the other end belongs to this process. */
static bool is_ours(int connection) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

int braze_channel_accept(struct braze_channel *channel) {
  int connection;
  if (channel->listening < 0) return channel->connection;
  connection = braze_descriptor_raise(accept4(channel->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection >= 0 && !is_ours(connection)) {
    close(connection);
    connection = -1;
  }
  close_both(channel);
  channel->connection = connection < 0 ? -1 : connection;
  return channel->connection;
}

#else

int braze_channel_open(struct braze_channel *channel, char *path, size_t size) {
  (void)channel, (void)path, (void)size;
  return ENOSYS;
}

int braze_channel_accept(struct braze_channel *channel) {
  return channel->connection;
}

#endif
