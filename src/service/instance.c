/* instance: see instance.h. The list is that of Braze's API documentation (API overview > Endpoints), November 2026.
   Hosts can't be computed from names: there is no US-09, US-10 breaks the pattern, the European hosts end in .eu. */
#include "service/instance.h"

#include <string.h>

#include "base/text.h"
#include "http/url.h"
#include "service/advice.h"

static const struct braze_instance instances[] = {
    {"US-01", "https://rest.iad-01.braze.com", "dashboard-01.braze.com"},
    {"US-02", "https://rest.iad-02.braze.com", "dashboard-02.braze.com"},
    {"US-03", "https://rest.iad-03.braze.com", "dashboard-03.braze.com"},
    {"US-04", "https://rest.iad-04.braze.com", "dashboard-04.braze.com"},
    {"US-05", "https://rest.iad-05.braze.com", "dashboard-05.braze.com"},
    {"US-06", "https://rest.iad-06.braze.com", "dashboard-06.braze.com"},
    {"US-07", "https://rest.iad-07.braze.com", "dashboard-07.braze.com"},
    {"US-08", "https://rest.iad-08.braze.com", "dashboard-08.braze.com"},
    {"US-10", "https://rest.us-10.braze.com", "dashboard.us-10.braze.com"},
    {"EU-01", "https://rest.fra-01.braze.eu", "dashboard-01.braze.eu"},
    {"EU-02", "https://rest.fra-02.braze.eu", "dashboard-02.braze.eu"},
    {"AU-01", "https://rest.au-01.braze.com", "dashboard.au-01.braze.com"},
    {"ID-01", "https://rest.id-01.braze.com", "dashboard.id-01.braze.com"},
    {"JP-01", "https://rest.jp-01.braze.com", "dashboard.jp-01.braze.com"},
    {"KR-01", "https://rest.kr-01.braze.com", "dashboard.kr-01.braze.com"},
};

#define INSTANCE_COUNT (sizeof instances / sizeof *instances)
#define SHORT_EXAMPLE "write scheme, host and at most a port and a path, as in \"https://rest.iad-01.braze.com\""
#define LINE_END_HINT "; a file is read without its line end by file:read(\"l\")"

const struct braze_instance *braze_instance_at(size_t index) {
  return index < INSTANCE_COUNT ? &instances[index] : NULL;
}

void braze_origin_free(struct braze_origin *origin) {
  braze_buffer_free(&origin->url);
}

static bool read_url(const char *scheme_end, const char *end, struct braze_origin *origin, struct braze_buffer *message,
                     struct braze_buffer *hint) {
  struct braze_url parts;
  size_t length = (size_t)(end - scheme_end);
  const char *wrong = braze_url_read(scheme_end, length, &parts);
  bool bracketed;
  if ((length >= 8 && braze_text_same(scheme_end, 8, "https://")) || (length >= 7 && braze_text_same(scheme_end, 7, "http://"))) wrong = "begins with a scheme twice";
  if (wrong) {
    braze_buffer_print(message, "endpoint %s", wrong);
    if (parts.bad_port && parts.port_length > 0 && !braze_text_may_be_key(parts.port, parts.port_length)) {
      braze_buffer_print(message, ": ");
      braze_text_quote(message, parts.port, parts.port_length, 8);
    }
    braze_buffer_print(hint, SHORT_EXAMPLE);
    return false;
  }
  bracketed = parts.host[0] == '[';
  memcpy(origin->host, parts.host + bracketed, parts.host_length - 2u * bracketed);
  origin->host[parts.host_length - 2u * bracketed] = '\0';
  origin->loopback = braze_url_is_loopback(origin->host);
  memcpy(origin->authority, parts.host, (size_t)(parts.path - parts.host));
  origin->authority[parts.path - parts.host] = '\0';
  if (braze_advice_refuse_host(origin->host, message, hint)) return false;
  if (!origin->secure && !origin->loopback) {
    braze_buffer_print(message, "endpoint \"http://%s\" would send the API key unencrypted", origin->authority);
    braze_buffer_print(hint, "write \"https://%s\"; http:// is taken for localhost, 127.0.0.0/8 and [::1] alone", origin->authority);
    if (!braze_advice_is_braze(origin->host)) braze_buffer_print(hint, ". A stand-in on another machine or in another container must speak TLS: give its CA's PEM file as ca_file (BRAZE_CA_FILE)");
    return false;
  }
  while (parts.path_length > 0 && parts.path[parts.path_length - 1] == '/') parts.path_length--;
  return braze_buffer_append(&origin->url, origin->secure ? "https://" : "http://", origin->secure ? 8 : 7) &&
         braze_buffer_append(&origin->url, parts.host, (size_t)(parts.path + parts.path_length - parts.host));
}

bool braze_instance_resolve(const char *text, size_t length, struct braze_origin *origin, struct braze_buffer *message,
                            struct braze_buffer *hint) {
  size_t i;
  memset(origin, 0, sizeof *origin);
  braze_buffer_init(&origin->url, 4096);
  for (i = 0; i < INSTANCE_COUNT; i++)
    if (strlen(instances[i].name) == length && memcmp(instances[i].name, text, length) == 0)
      return braze_instance_resolve(instances[i].url, strlen(instances[i].url), origin, message, hint);
  if (length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
    braze_buffer_print(message, "endpoint stands in quotes that are part of its value");
    braze_buffer_print(hint, "leave them out: an environment file, as docker reads one, takes what is behind the \"=\" as it is");
    return false;
  }
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F || strchr("\"<>\\^`{|}", text[i])) {
      braze_buffer_print(message, "endpoint holds ");
      braze_text_name_character(message, (unsigned char)text[i]);
      braze_buffer_print(message, ", which no URL has, at byte %zu of %zu", i + 1, length);
      braze_buffer_print(hint, "take it out%s; " SHORT_EXAMPLE, text[i] == '\n' || text[i] == '\r' ? LINE_END_HINT : "");
      return false;
    }
  if (length > 2048) {
    braze_buffer_print(message, "endpoint has %zu characters: at most 2048 are taken", length);
    braze_buffer_print(hint, SHORT_EXAMPLE);
    return false;
  }
  origin->secure = length >= 8 && braze_text_same(text, 8, "https://");
  if (origin->secure) return read_url(text + 8, text + length, origin, message, hint);
  if (length >= 7 && braze_text_same(text, 7, "http://")) return read_url(text + 7, text + length, origin, message, hint);
  for (i = 0; i + 2 < length; i++)
    if (memcmp(text + i, "://", 3) == 0 && i < 12) {
      braze_buffer_print(message, "endpoint has the scheme \"%.*s\", and only https:// is taken", (int)i, text);
      braze_buffer_print(hint, SHORT_EXAMPLE);
      return false;
    }
  braze_advice_refuse_text(text, length, message, hint);
  return false;
}
