/* wake: see wake.h. */
#define _GNU_SOURCE /* pipe2 */
#include "wake.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

void braze_wake_init(struct braze_wake *wake) {
  wake->reading = wake->writing = -1;
}

bool braze_wake_open(struct braze_wake *wake) {
#ifdef __linux__
  wake->reading = wake->writing = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wake->reading >= 0;
#else
  int ends[2], i;
  if (pipe(ends) != 0) return false;
  for (i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  wake->reading = ends[0];
  wake->writing = ends[1];
  return true;
#endif
}

/* A full pipe or counter is readable all the same, so a failure to write needs no care. */
void braze_wake_set(const struct braze_wake *wake) {
  const uint64_t one = 1;
  ssize_t written = wake->writing >= 0 ? write(wake->writing, &one, sizeof one) : 0;
  (void)written;
}

void braze_wake_notify(int socket) {
#ifdef MSG_NOSIGNAL
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
  const int flags = MSG_DONTWAIT;
#endif
  ssize_t sent = socket >= 0 ? send(socket, "", 1, flags) : 0;
  (void)sent;
}

void braze_wake_clear(const struct braze_wake *wake) {
  uint64_t count;
  while (wake->reading >= 0 && read(wake->reading, &count, sizeof count) == (ssize_t)sizeof count) continue;
}

void braze_wake_close(struct braze_wake *wake) {
  if (wake->reading >= 0) close(wake->reading);
  if (wake->writing >= 0 && wake->writing != wake->reading) close(wake->writing);
  braze_wake_init(wake);
}
