/* trust: see trust.h.
   OpenSSL 3.0 parses a bundle anew for each connection: 18 ms of CPU for Debian's. Looking one issuer up in a hashed
   directory takes 2. File and directory together cost as much as the file, and keep libcurl from caching it. */
#define _GNU_SOURCE /* opendir under -std=c11 */
#include "trust.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "libcurl.h"

/* A hashed name is eight hexadecimal digits, a dot and a number. */
static bool is_hashed_name(const char *name) {
  return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

bool braze_trust_is_hashed(const char *directory) {
  DIR *opened = opendir(directory);
  const struct dirent *entry;
  bool found = false;
  if (!opened) return false;
  while (!found && (entry = readdir(opened)) != NULL) found = is_hashed_name(entry->d_name);
  closedir(opened);
  return found;
}

static bool is_directory(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust) {
  memset(trust, 0, sizeof *trust);
  if (!settings->secure) return;
  if (settings->ca_file) {
    if (is_directory(settings->ca_file))
      trust->first.directory = settings->ca_file;
    else
      trust->first.file = settings->ca_file;
    return;
  }
#if BRAZE_LIBCURL_AT_LEAST(7, 70, 0)
  {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    const char *file = version->age >= CURLVERSION_SEVENTH ? version->cainfo : NULL;
    const char *directory = version->age >= CURLVERSION_SEVENTH ? version->capath : NULL;
    bool openssl = version->ssl_version && strncmp(version->ssl_version, "OpenSSL/", 8) == 0;
    trust->first.file = file;
    if (openssl && directory && braze_trust_is_hashed(directory)) {
      trust->first.file = NULL;
      trust->first.directory = directory;
      trust->second.file = file;
    }
  }
#endif
}
