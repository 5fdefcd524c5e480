/* wake: see wake.h. */
#define _GNU_SOURCE /* pipe2 */
#include "process/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "process/descriptor.h"

void braze_wake_init(struct braze_wake *wake) {
  wake->reading = wake->writing = -1;
}

int braze_wake_open(struct braze_wake *wake) {
#ifdef __linux__
  int opened = braze_descriptor_raise(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (opened < 0) return -opened;
  wake->reading = wake->writing = opened;
  return 0;
#else
  int ends[2], i, failure;
  if (pipe(ends) != 0) return errno;
  wake->reading = braze_descriptor_raise(ends[0]);
  wake->writing = braze_descriptor_raise(ends[1]);
  if (wake->reading < 0 || wake->writing < 0) {
    failure = wake->reading < 0 ? -wake->reading : -wake->writing;
    braze_wake_close(wake);
    return failure;
  }
  ends[0] = wake->reading;
  ends[1] = wake->writing;
  for (i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
#endif
}

/* A pipe or a counter that is full is readable as it is, so a write that fails needs no care. */
void braze_wake_set(const struct braze_wake *wake) {
  const uint64_t one = 1;
  ssize_t written;
  if (wake->writing < 0) return;
  do written = write(wake->writing, &one, sizeof one);
  while (written < 0 && errno == EINTR);
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
  if (wake->reading < 0) return;
#ifdef __linux__
  while (read(wake->reading, &count, sizeof count) < 0 && errno == EINTR) continue; /* one read takes all of it */
#else
  while (read(wake->reading, &count, sizeof count) > 0) continue;
#endif
}

void braze_wake_close(struct braze_wake *wake) {
  if (wake->reading >= 0) close(wake->reading);
  if (wake->writing >= 0 && wake->writing != wake->reading) close(wake->writing);
  braze_wake_init(wake);
}
