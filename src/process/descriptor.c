/* descriptor: see descriptor.h. */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC, O_CLOEXEC */
#include "process/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int braze_descriptor_raise(int descriptor) {
  int raised;
  if (descriptor < 0) return -errno;
  if (descriptor >= BRAZE_MIN_DESCRIPTOR) return descriptor;
  raised = fcntl(descriptor, F_DUPFD_CLOEXEC, BRAZE_MIN_DESCRIPTOR);
  if (raised < 0) raised = -errno;
  close(descriptor);
  return raised;
}

/* open() returns the lowest free number: one above 2 shows that none below is free. */
void braze_descriptor_fill_low(struct braze_descriptor_fill *fill) {
  int code = errno, i;
  for (i = 0; i < BRAZE_MIN_DESCRIPTOR; i++) fill->filled[i] = false;
  for (i = 0; i < BRAZE_MIN_DESCRIPTOR; i++) {
    int opened;
    if (fcntl(i, F_GETFD) >= 0 || errno != EBADF) continue;
    opened = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (opened >= BRAZE_MIN_DESCRIPTOR) close(opened);
    if (opened >= 0 && opened < BRAZE_MIN_DESCRIPTOR) fill->filled[opened] = true;
  }
  errno = code;
}

void braze_descriptor_release_low(const struct braze_descriptor_fill *fill) {
  int code = errno, i;
  for (i = 0; i < BRAZE_MIN_DESCRIPTOR; i++)
    if (fill->filled[i]) close(i);
  errno = code;
}
