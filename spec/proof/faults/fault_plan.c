/* fault_plan: names of points, and the errors that each system call is made to fail with. */
#define _GNU_SOURCE /* EAI_ names and strerrorname_np */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"

const char *const fault_source_names[FAULT_SOURCES] = {"lua", "libcurl", "core", "system"};
const char *const fault_mode_names[FAULT_MODES] = {"once", "twice", "from then on"};
const char *const fault_function_names[SHIM_FUNCTIONS] = {"socket",  "socketpair",     "connect", "send",    "send of a wake-up", "send of a look-up's end",
                                                          "recv",   "poll",       "getaddrinfo", "open", "eventfd", "pthread_create",    "clock_gettime",
                                                          "fcntl",  "read",       "write"};

int fault_error_at(int function, int index) {
  static const int errors[SHIM_FUNCTIONS][10] = {
      [SHIM_SOCKET] = {EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT},
      [SHIM_SOCKETPAIR] = {EMFILE, ENFILE, ENOMEM},
      [SHIM_CONNECT] = {EINTR, EAGAIN, ENOMEM, ECONNREFUSED, ECONNRESET, ETIMEDOUT, ENETUNREACH},
      [SHIM_SEND] = {EINTR, EAGAIN, ENOMEM, ECONNRESET, EPIPE, ETIMEDOUT, ENETUNREACH},
      /* EAGAIN means that a wake-up waits already, which a fault alone does not make true. */
      [SHIM_SEND_WAKE] = {EINTR, ENOMEM},
      [SHIM_SEND_RESOLVED] = {EINTR, ENOMEM},
      [SHIM_RECV] = {EINTR, EAGAIN, ENOMEM, ECONNRESET, ETIMEDOUT, ENETUNREACH},
      [SHIM_POLL] = {EINTR, EAGAIN, ENOMEM},
      [SHIM_GETADDRINFO] = {EAI_AGAIN, EAI_NONAME, EAI_MEMORY, EAI_SYSTEM},
      [SHIM_OPEN] = {EINTR, EMFILE, ENFILE, ENOMEM, EACCES},
      [SHIM_EVENTFD] = {EMFILE, ENFILE, ENOMEM},
      [SHIM_PTHREAD_CREATE] = {EAGAIN, ENOMEM},
      [SHIM_CLOCK_GETTIME] = {EINVAL},
      [SHIM_FCNTL] = {EINTR, EAGAIN, EMFILE, ENOMEM},
      [SHIM_READ] = {EINTR},
      [SHIM_WRITE] = {EINTR},
  };
  return index < 10 ? errors[function][index] : 0;
}

void fault_describe(const struct fault_plan *plan, char *text, size_t size) {
  if (plan->source != FAULT_SYSTEM)
    snprintf(text, size, "%s allocation %ld, %s", fault_source_names[plan->source], plan->n, fault_mode_names[plan->mode]);
  else
    snprintf(text, size, "%s %ld with %s, %s", fault_function_names[plan->function], plan->n,
             plan->error < 0 ? gai_strerror(plan->error) : strerrorname_np(plan->error), fault_mode_names[plan->mode]);
}
