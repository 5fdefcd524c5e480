/* environment: the variables that options are left to. */
#define _GNU_SOURCE /* secure_getenv */
#include <stdlib.h>
#include <unistd.h>

#include "lua/binding.h"

/* The value of an environment variable; NULL where it is not set, or empty. A process that has more rights than its user (setuid, setgid,
   file capabilities) reads none: whoever starts it must not choose where the key goes, nor whom to trust. */
const char *lbraze_environment(const char *name) {
#ifdef __GLIBC__
  const char *value = secure_getenv(name);
#else
  const char *value = geteuid() == getuid() && getegid() == getgid() ? getenv(name) : NULL;
#endif
  return value && value[0] ? value : NULL;
}
