/* machine: see machine.h. */
#define _GNU_SOURCE /* statfs, CLOCK_BOOTTIME, kill under -std=c11 */
#include "stores/machine.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "base/text.h"

/* The first line of a file; "" where there is none. */
static void read_line(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "re");
  text[0] = '\0';
  if (!file) return;
  if (fgets(text, (int)size, file)) text[strcspn(text, "\n")] = '\0';
  (void)fclose(file); /* nothing was written */
}

/* Takes the number that stands next. False: there is none, or it is too great. */
static bool take_number(const char **at, unsigned long long *number) {
  char *end;
  errno = 0;
  *number = strtoull(*at, &end, 10);
  if (end == *at || errno != 0) return false;
  *at = end;
  return true;
}

/* When the process began, in the kernel's ticks since the boot: the 22nd word of its line, of which the second, in parentheses, may be
   anything. 0: there is no such process, or the system does not tell. */
static unsigned long long start_of(long process) {
  char path[64], line[1024];
  const char *at;
  unsigned long long start = 0;
  int i;
  braze_text_print(path, sizeof path, "/proc/%ld/stat", process);
  read_line(path, line, sizeof line);
  at = strrchr(line, ')');
  for (i = 0; at && i < 20; i++) at = strchr(at + 1, ' ');
  return at && take_number(&at, &start) ? start : 0;
}

const char *braze_machine_boot(void) {
  static _Thread_local char boot[64];
  read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  if (!boot[0]) strcpy(boot, "-");
  return boot;
}

void braze_machine_name_owner(char *text, size_t size) {
  braze_text_print(text, size, "%ld %llu %s", (long)getpid(), start_of((long)getpid()), braze_machine_boot());
}

/* A zombie no longer does anything, but its number is not given to another one yet. */
static bool is_zombie(long process) {
  char path[64], line[1024];
  const char *at;
  braze_text_print(path, sizeof path, "/proc/%ld/stat", process);
  read_line(path, line, sizeof line);
  at = strrchr(line, ')');
  return at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0);
}

bool braze_machine_is_alive(const char *owner) {
  unsigned long long process, start;
  if (!take_number(&owner, &process) || !take_number(&owner, &start) || process == 0 || process > INT_MAX) return false;
  if (owner[0] != ' ' || strcmp(owner + 1, braze_machine_boot()) != 0) return false;
  if (start != 0) return start_of((long)process) == start && !is_zombie((long)process);
  return kill((pid_t)process, 0) == 0 || errno == EPERM;
}

static double seconds(clockid_t clock) {
  struct timespec time = {0, 0};
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double braze_machine_uptime(void) {
#ifdef CLOCK_BOOTTIME
  return seconds(CLOCK_BOOTTIME);
#else
  return seconds(CLOCK_MONOTONIC);
#endif
}

double braze_machine_epoch(void) {
  return seconds(CLOCK_REALTIME);
}

#ifdef __linux__
/* The kernel's numbers of the file systems whose files may be on another machine: nfs, smb, cifs, smb2, ceph, afs, 9p, fuse is left out:
   it may be local. */
static bool is_remote_type(unsigned long type) {
  static const unsigned long types[] = {0x6969,     0x517B,     0xFF534D42, 0xFE534D42, 0x00C36400,
                                        0x5346414F, 0x01021997, 0x7461636F, 0x47504653, 0x0BD00BD0};
  size_t i;
  for (i = 0; i < sizeof types / sizeof *types; i++)
    if ((type & 0xFFFFFFFFul) == types[i]) return true;
  return false;
}
#endif

bool braze_machine_is_remote(const char *path) {
#ifdef __linux__
  struct statfs found;
  char folder[4096];
  char *slash;
  if (statfs(path, &found) == 0) return is_remote_type((unsigned long)found.f_type);
  if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder) return false;
  slash = strrchr(folder, '/');
  if (slash)
    slash[slash == folder] = '\0';
  else
    strcpy(folder, ".");
  return statfs(folder, &found) == 0 && is_remote_type((unsigned long)found.f_type);
#else
  (void)path;
  return false;
#endif
}
