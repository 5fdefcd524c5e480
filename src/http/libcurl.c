/* libcurl: see libcurl.h. It is never cleaned up: another part of the host may use it as well. */
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include "http/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "process/process.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct {
  bool started, raises_sigpipe, reuses_handles, finds_dead_connections_late, marks_by_read, has_openssl, fills_ca_defaults;
  const char *ca_file, *ca_directory;
} library;

/* A thread of libcurl's, for a name look-up that was given up, may outlive lua_close, which unloads the object with its code. Done
   in code rather than by a flag of the linker, so that every way of building has it. */
static void pin(void) {
#ifdef RTLD_NODELETE
  Dl_info info;
  if (dladdr((void *)&once, &info) && info.dli_fname) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/* curl_version_info writes the same static variables each time, whichever thread calls it: so it is called once. */
static void ask_library(void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  const unsigned version = info->version_num;
  library.reuses_handles = version < 0x075300 || version >= 0x080100;
  library.finds_dead_connections_late = version >= 0x081600;
  library.fills_ca_defaults = version >= 0x081500;
  library.has_openssl = info->ssl_version && strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
  library.raises_sigpipe = library.marks_by_read = true;
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  library.marks_by_read = version < 0x075000;
#endif
#if BRAZE_LIBCURL_AT_LEAST(7, 87, 0)
  library.raises_sigpipe = version < 0x075700;
#endif
#if BRAZE_LIBCURL_AT_LEAST(7, 70, 0)
  if (info->age >= CURLVERSION_SEVENTH) {
    library.ca_file = info->cainfo;
    library.ca_directory = info->capath;
  }
#endif
}

static void start(void) {
  pin();
  ask_library();
  library.started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  /* Right after libcurl's own handlers of exit(). The last one registered runs first: our threads leave libcurl before OpenSSL is
     taken down. */
  braze_process_open();
}

bool braze_libcurl_start(void) {
  return pthread_once(&once, start) == 0 && library.started;
}

bool braze_libcurl_raises_sigpipe(void) {
  return library.raises_sigpipe;
}

bool braze_libcurl_reuses_handles(void) {
  return library.reuses_handles;
}

bool braze_libcurl_finds_dead_connections_late(void) {
  return library.finds_dead_connections_late;
}

bool braze_libcurl_marks_by_read(void) {
  return library.marks_by_read;
}

bool braze_libcurl_has_openssl(void) {
  return library.has_openssl;
}

const char *braze_libcurl_ca_file(void) {
  return library.ca_file;
}

const char *braze_libcurl_ca_directory(void) {
  return library.ca_directory;
}

bool braze_libcurl_fills_ca_defaults(void) {
  return library.fills_ca_defaults;
}

CURLcode braze_libcurl_set_protocol(CURL *easy, bool secure) {
#if BRAZE_LIBCURL_AT_LEAST(7, 85, 0)
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, secure ? (long)CURLPROTO_HTTPS : (long)CURLPROTO_HTTP);
#endif
}

CURLcode braze_libcurl_set_connection_limits(CURL *easy, long max_idle_seconds, long max_seconds) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, max_idle_seconds);
  /* The library that is loaded may be too old for what follows. */
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, max_seconds);
#endif
#if BRAZE_LIBCURL_AT_LEAST(7, 87, 0)
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  (void)max_seconds;
  return code == CURLE_UNKNOWN_OPTION ? CURLE_OK : code;
}
