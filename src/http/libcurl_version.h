/* libcurl: the one place that knows libcurl's versions. Oldest supported: 7.68.0. */
#ifndef BRAZE_LIBCURL_H
#define BRAZE_LIBCURL_H

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x074400
#error "braze needs libcurl 7.68.0 or newer"
#endif

/* True where the headers have what libcurl's given version brought. The library that is loaded may still be older: each
   use looks at what the call returns. BRAZE_LIBCURL_OLDEST builds what 7.68.0 would be given, so that specs can run it. */
#ifdef BRAZE_LIBCURL_OLDEST
#define BRAZE_LIBCURL_AT_LEAST(major, minor, patch) (((major) << 16 | (minor) << 8 | (patch)) <= 0x074400)
#else
#define BRAZE_LIBCURL_AT_LEAST(major, minor, patch) (LIBCURL_VERSION_NUM >= ((major) << 16 | (minor) << 8 | (patch)))
#endif

#endif
