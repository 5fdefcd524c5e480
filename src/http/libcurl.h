/* libcurl: its start, and all that is known of its versions and defects. The oldest supported is 7.68.0. */
#ifndef BRAZE_LIBCURL_H
#define BRAZE_LIBCURL_H

#include <curl/curl.h>
#include <stdbool.h>

#if LIBCURL_VERSION_NUM < 0x074400
#error "braze needs libcurl 7.68.0 or newer"
#endif

/* True where the headers have what libcurl's given version brought. The library that is loaded may still be older: each use
   looks at what the call returns. BRAZE_LIBCURL_OLDEST builds the code for 7.68.0, so that specs can run it. */
#ifdef BRAZE_LIBCURL_OLDEST
#define BRAZE_LIBCURL_AT_LEAST(major, minor, patch) (((major) << 16 | (minor) << 8 | (patch)) <= 0x074400)
#else
#define BRAZE_LIBCURL_AT_LEAST(major, minor, patch) (LIBCURL_VERSION_NUM >= ((major) << 16 | (minor) << 8 | (patch)))
#endif

/* The two below by their numbers, so that a build for an older libcurl has them as well. An older library does not know the
   option and ignores it. */

/* CURLMOPT_QUICK_EXIT of 8.20: closing does not wait for a name look-up that hangs. */
#define BRAZE_CURLMOPT_QUICK_EXIT ((CURLMoption)21)

/* CURLE_TOO_LARGE of 8.6: a header line of more than 100 KiB, or more than 5,000 lines with the trailers. An older libcurl calls
   the first of them out of memory. */
#define BRAZE_CURLE_TOO_LARGE ((CURLcode)100)

/* Initialises libcurl at the first use, never at load; from any thread. All functions below need it. False: libcurl could not be
   initialised. */
bool braze_libcurl_start(void);

/* Whether libcurl may raise SIGPIPE when it sends over TLS. 7.87 was the first that never does. */
bool braze_libcurl_raises_sigpipe(void);

/* Whether an easy handle may serve a second response. libcurl 7.83 to 8.0.1 keeps a pointer into the headers of the last one,
   which it has freed, and writes there when the next response begins with a folded line (curl/curl#11103). No URL is exempt: what
   answers on loopback may be a gateway that passes on what others send. */
bool braze_libcurl_reuses_handles(void);

/* Whether libcurl checks only once a second that an idle connection is alive. 8.22 was the first that does. */
bool braze_libcurl_finds_dead_connections_late(void);

/* Whether libcurl has no callback right before a request is sent, which came with 7.80: then the callback that reads the body marks
   that moment. */
bool braze_libcurl_marks_by_read(void);

/* Whether libcurl uses OpenSSL. */
bool braze_libcurl_has_openssl(void);

/* The certificates that libcurl trusts by default. NULL: none, or libcurl before 7.70, which can't be asked. */
const char *braze_libcurl_ca_file(void);
const char *braze_libcurl_ca_directory(void);

/* Whether libcurl takes its own default for a certificate file or directory that is set to NULL, and trusts that as well. 8.21 was
   the first that does. */
bool braze_libcurl_fills_ca_defaults(void);

/* Allows the handle one protocol alone. */
CURLcode braze_libcurl_set_protocol(CURL *easy, bool secure);

/* Limits the life of a connection, and does not wait for a name look-up that is given up: as far as this libcurl can. */
CURLcode braze_libcurl_set_connection_limits(CURL *easy, long max_idle_seconds, long max_seconds);

#endif
