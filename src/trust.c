/* trust: see trust.h.
   OpenSSL 3.0 parses a bundle anew for each connection: 18 ms of CPU for Debian's. Looking one issuer up in a hashed
   directory takes 2. File and directory together cost as much as the file, and keep libcurl from caching it. */
#define _GNU_SOURCE /* opendir under -std=c11 */
#include "trust.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcurl.h"

#define FILLS_DEFAULTS 0x081500
#define NO_DIRECTORY "/dev/null" /* OpenSSL looks certificates up in it by name, and finds none */

/* A hashed name is eight hexadecimal digits, a dot and a number. */
static bool is_hashed_name(const char *name) {
  return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

/* The first hashed name of the directory that leads to a file, with its path. */
static bool find_hashed(const char *directory, char *path, size_t size) {
  DIR *opened = opendir(directory);
  const struct dirent *entry;
  bool found = false;
  if (!opened) return false;
  while (!found && (entry = readdir(opened)) != NULL)
    found = is_hashed_name(entry->d_name) && (size_t)snprintf(path, size, "%s/%s", directory, entry->d_name) < size && access(path, R_OK) == 0;
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

/* Where libcurl looks by itself; NULL where it looks at none, or can't be asked. */
static struct braze_trust_store built_in(const curl_version_info_data *version) {
  struct braze_trust_store store = {NULL, NULL, 0};
#if BRAZE_LIBCURL_AT_LEAST(7, 70, 0)
  if (version->age >= CURLVERSION_SEVENTH) {
    store.directory = version->capath;
    store.file = version->cainfo;
  }
#endif
  (void)version;
  return store;
}

/* Since 8.21 libcurl takes its own default for what is set to NULL, and would trust that as well: beside a file of the caller's
   stands a directory with nothing in it, beside a directory one of its own certificates. */
static void keep_to(struct braze_trust *trust, const struct braze_trust_store *defaults) {
  struct braze_trust_store *store = &trust->first;
  if (!store->directory && defaults->directory) store->directory = NO_DIRECTORY;
  if (store->file || !defaults->file) return;
  /* A directory without certificates can't be read as a file: an error that names it. */
  store->file = find_hashed(store->directory, trust->member, sizeof trust->member) ? trust->member : store->directory;
}

void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust) {
  const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
  const struct braze_trust_store defaults = built_in(version);
  bool openssl = version->ssl_version && strncmp(version->ssl_version, "OpenSSL/", 8) == 0;
  unsigned round = trust->first.round + 1;
  memset(trust, 0, sizeof *trust);
  trust->first.round = trust->second.round = round;
  if (!settings->secure) return;
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
  if (openssl && version->version_num >= FILLS_DEFAULTS) keep_to(trust, &defaults);
}
