/* global: see global.h. libcurl is never cleaned up: another part of the host may use it too. */
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include "http/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>

#include "http/libcurl_version.h"
#include "process/process.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started, raises_sigpipe = true, reuses_handles, looks_seldom;

/* A thread of libcurl's (a name look-up that was given up) may outlive lua_close, which unloads the object that its code
   belongs to. In code rather than by a linker's flag, so that every way of building has it. */
static void pin(void) {
#ifdef RTLD_NODELETE
  Dl_info info;
  if (dladdr((void *)&once, &info) && info.dli_fname) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

static void start(void) {
  const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  pin();
  reuses_handles = version < 0x075300 || version >= 0x080100;
  looks_seldom = version >= 0x081600;
#if BRAZE_LIBCURL_AT_LEAST(7, 87, 0)
  raises_sigpipe = version < 0x075700;
#endif
  started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  /* Right after libcurl's: what was registered last runs first, so workers stand still before OpenSSL is taken down. */
  braze_parking_open();
}

bool braze_global_start(void) {
  return pthread_once(&once, start) == 0 && started;
}

bool braze_global_reuses_handles(void) {
  return reuses_handles;
}

bool braze_global_looks_seldom(void) {
  return looks_seldom;
}

bool braze_global_raises_sigpipe(void) {
  return raises_sigpipe;
}
