/* endpoint: see endpoint.h. */
#include "service/endpoint.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "http/url.h"
#include "service/advice.h"
#include "service/instance.h"

#define SHORT_EXAMPLE "write scheme, host and at most a port and a path, as in \"https://rest.iad-01.braze.com\""
#define LINE_END_HINT "; a file is read without its line end by file:read(\"l\")"

void braze_endpoint_free(struct braze_endpoint *endpoint) {
  braze_buffer_free(&endpoint->url);
}

static bool begins_with(const char *text, size_t length, const char *start) {
  const size_t needed = strlen(start);
  return length >= needed && braze_text_same(text, needed, start);
}

/* Fills the endpoint, which is zero yet: what is copied into its arrays ends with a NUL. */
static int read_url(const char *scheme_end, const char *end, struct braze_endpoint *endpoint, struct braze_buffer *message,
                    struct braze_buffer *hint) {
  struct braze_url parts;
  size_t length = (size_t)(end - scheme_end);
  const char *wrong = braze_url_read(scheme_end, length, &parts);
  bool bracketed;
  if (begins_with(scheme_end, length, "https://") || begins_with(scheme_end, length, "http://")) wrong = "begins with a scheme twice";
  if (wrong) {
    braze_buffer_print(message, "endpoint %s", wrong);
    if (parts.bad_port && parts.port_length > 0 && !braze_text_may_be_key(parts.port, parts.port_length)) {
      braze_buffer_print(message, ": ");
      braze_text_quote(message, parts.port, parts.port_length, 8);
    }
    braze_buffer_print(hint, SHORT_EXAMPLE);
    return EINVAL;
  }
  bracketed = parts.host[0] == '[';
  memcpy(endpoint->host, parts.host + bracketed, parts.host_length - 2u * bracketed);
  endpoint->loopback = braze_url_is_loopback(endpoint->host);
  memcpy(endpoint->authority, parts.host, (size_t)(parts.path - parts.host));
  if (braze_advice_refuse_host(endpoint->host, message, hint)) return EINVAL;
  if (!endpoint->secure && !endpoint->loopback) {
    braze_buffer_print(message, "endpoint \"http://%s\" would send the API key unencrypted", endpoint->authority);
    braze_buffer_print(hint, "write \"https://%s\"; http:// is taken for localhost, 127.0.0.0/8 and [::1] alone", endpoint->authority);
    if (!braze_advice_is_braze(endpoint->host))
      braze_buffer_print(
          hint,
          ". A stand-in on another machine or in another container must speak TLS: give its CA's PEM file as ca_file (BRAZE_CA_FILE)");
    return EINVAL;
  }
  while (parts.path_length > 0 && parts.path[parts.path_length - 1] == '/') parts.path_length--;
  if (!braze_buffer_append(&endpoint->url, endpoint->secure ? "https://" : "http://", endpoint->secure ? 8 : 7)) return ENOMEM;
  return braze_buffer_append(&endpoint->url, parts.host, (size_t)(parts.path + parts.path_length - parts.host)) ? 0 : ENOMEM;
}

int braze_endpoint_read(const char *text, size_t length, struct braze_endpoint *endpoint, struct braze_buffer *message,
                        struct braze_buffer *hint) {
  const struct braze_instance *instance;
  size_t i;
  memset(endpoint, 0, sizeof *endpoint);
  braze_buffer_init(&endpoint->url, 4096);
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++)
    if (strlen(instance->name) == length && memcmp(instance->name, text, length) == 0)
      return braze_endpoint_read(instance->url, strlen(instance->url), endpoint, message, hint);
  if (length >= 2 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
    braze_buffer_print(message, "endpoint stands in quotes that are part of its value");
    braze_buffer_print(hint, "leave them out: an environment file, as docker reads one, takes what is behind the \"=\" as it is");
    return EINVAL;
  }
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F || strchr("\"<>\\^`{|}", text[i])) {
      braze_buffer_print(message, "endpoint holds ");
      braze_text_name_character(message, (unsigned char)text[i]);
      braze_buffer_print(message, ", which no URL has, at byte %zu of %zu", i + 1, length);
      braze_buffer_print(hint, "take it out%s; " SHORT_EXAMPLE, text[i] == '\n' || text[i] == '\r' ? LINE_END_HINT : "");
      return EINVAL;
    }
  if (length > 2048) {
    braze_buffer_print(message, "endpoint has %zu characters: at most 2048 are taken", length);
    braze_buffer_print(hint, SHORT_EXAMPLE);
    return EINVAL;
  }
  endpoint->secure = begins_with(text, length, "https://");
  if (endpoint->secure) return read_url(text + 8, text + length, endpoint, message, hint);
  if (begins_with(text, length, "http://")) return read_url(text + 7, text + length, endpoint, message, hint);
  for (i = 0; i + 2 < length; i++)
    if (memcmp(text + i, "://", 3) == 0 && i < 12) {
      braze_buffer_print(message, "endpoint has the scheme \"%.*s\", and only https:// is taken", (int)i, text);
      braze_buffer_print(hint, SHORT_EXAMPLE);
      return EINVAL;
    }
  braze_advice_refuse_text(text, length, message, hint);
  return EINVAL;
}
