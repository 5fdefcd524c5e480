/* trust: see trust.h.
   OpenSSL 3.0 parses a bundle anew for each connection: 18 ms of CPU for Debian's. Looking one issuer up in a hashed
   directory takes 2. File and directory together cost as much as the file, and keep libcurl from caching it. */
#define _GNU_SOURCE /* opendir under -std=c11 */
#include "http/trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/libcurl.h"

#define MAX_SPELLINGS 64u
#define NO_DIRECTORY "/dev/null" /* OpenSSL looks up certificates in it by name, and finds none */

/* A hashed name is eight hexadecimal digits, a dot and a number. */
static bool is_hashed_name(const char *name) {
  return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

/* Writes the path of the directory's first hashed name that leads to a readable file. False: there is none. */
static bool find_hashed(const char *directory, char *path, size_t size) {
  DIR *opened = opendir(directory);
  const struct dirent *entry;
  bool found = false;
  if (!opened) return false;
  while (!found && (entry = readdir(opened)) != NULL)
    found = is_hashed_name(entry->d_name) && (size_t)snprintf(path, size, "%s/%s", directory, entry->d_name) < size &&
            access(path, R_OK) == 0;
  closedir(opened);
  return found;
}

bool braze_trust_is_hashed(const char *directory) {
  char path[BRAZE_LONGEST_PATH];
  return find_hashed(directory, path, sizeof path);
}

static bool is_directory(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Where libcurl would fill in its own defaults: beside a file of the caller's it is given a directory with nothing in it, beside a
   directory one of the certificates in there. */
static void keep_to(struct braze_trust *trust, const struct braze_trust_store *defaults) {
  struct braze_trust_store *store = &trust->first;
  if (!store->directory && defaults->directory) store->directory = NO_DIRECTORY;
  if (store->file || !defaults->file) return;
  /* A directory without certificates can't be read as a file: an error that names it. */
  store->file = find_hashed(store->directory, trust->member, sizeof trust->member) ? trust->member : store->directory;
}

static uint64_t mix(uint64_t print, uint64_t number) {
  print = (print ^ number) * UINT64_C(0x9E3779B97F4A7C15);
  return print ^ (print >> 29);
}

#ifdef __APPLE__
#define NANOSECONDS(status, which) ((uint64_t)(status)->st_##which##timespec.tv_nsec)
#else
#define NANOSECONDS(status, which) ((uint64_t)(status)->st_##which##tim.tv_nsec)
#endif

/* Mixes in which file the path names, its length, and when it was changed, by the inode's own time as well, which can't be set back. */
static uint64_t print_of(uint64_t print, const char *path) {
  struct stat status;
  if (!path) return mix(print, 1);
  if (stat(path, &status) != 0) return mix(print, 2);
  print = mix(mix(print, (uint64_t)status.st_dev), (uint64_t)status.st_ino);
  print = mix(mix(print, (uint64_t)status.st_size), (uint64_t)status.st_mtime);
  print = mix(mix(print, NANOSECONDS(&status, m)), (uint64_t)status.st_ctime);
  return mix(print, NANOSECONDS(&status, c));
}

/* Reads a file as libcurl will, so that a file system that hangs is noticed here. libcurl reports a file that can't be read. Does not
   wait for a writer, in case the path has become a FIFO. */
static void read_ahead(const char *path) {
  char bytes[16384];
  int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (opened < 0) return;
  while (read(opened, bytes, sizeof bytes) > 0) continue;
  close(opened);
}

/* Why the path can't be read to an end; NULL: it can, or does not exist. */
static const char *refusal_of(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return NULL;
  if (S_ISFIFO(status.st_mode)) return "it is a FIFO or a pipe, not a file";
  if (S_ISSOCK(status.st_mode)) return "it is a socket, not a file";
  return "it is a device, not a file";
}

static void choose_stores(const struct braze_settings *settings, struct braze_trust *trust) {
  const struct braze_trust_store defaults = {braze_libcurl_ca_directory(), braze_libcurl_ca_file(), 0};
  bool openssl = braze_libcurl_has_openssl();
  if (settings->ca_file && is_directory(settings->ca_file)) {
    trust->first.directory = settings->ca_file;
  } else if (settings->ca_file) {
    trust->first.file = settings->ca_file;
  } else if (openssl && defaults.directory && braze_trust_is_hashed(defaults.directory)) {
    trust->first.directory = defaults.directory;
    trust->second.file = defaults.file;
  } else {
    trust->first.file = defaults.file;
    return;
  }
  if (openssl && braze_libcurl_fills_ca_defaults()) keep_to(trust, &defaults);
}

void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust) {
  memset(trust, 0, sizeof *trust);
  if (!settings->secure) return;
  if (settings->ca_file) trust->refusal = refusal_of(settings->ca_file);
  if (trust->refusal) return;
  choose_stores(settings, trust);
  trust->print = print_of(print_of(print_of(0, trust->first.directory), trust->first.file), trust->second.file);
  if (trust->first.file) read_ahead(trust->first.file);
}

/* "/etc/x" as "/././etc/x", "x" as "././x". */
static bool spell(const char **path, char **kept, unsigned dots) {
  size_t length, before = (size_t)dots * 2;
  char *spelled;
  size_t i;
  if (!*path || dots == 0) return true;
  length = strlen(*path);
  spelled = malloc(before + length + 1);
  if (!spelled) return false;
  for (i = 0; i < before; i++) spelled[i] = (i % 2 == 0) == (**path == '/') ? '/' : '.';
  memcpy(spelled + before, *path, length + 1);
  *path = *kept = spelled;
  return true;
}

bool braze_trust_follow(struct braze_trust *trust, const struct braze_trust *before) {
  unsigned round = before ? before->first.round + (before->print != trust->print) : 0;
  trust->first.round = trust->second.round = round;
  return spell(&trust->first.directory, &trust->spelled[0], round % MAX_SPELLINGS) &&
         spell(&trust->first.file, &trust->spelled[1], round % MAX_SPELLINGS) &&
         spell(&trust->second.file, &trust->spelled[2], round % MAX_SPELLINGS);
}

void braze_trust_free(struct braze_trust *trust) {
  size_t i;
  for (i = 0; i < sizeof trust->spelled / sizeof *trust->spelled; i++) free(trust->spelled[i]);
}
