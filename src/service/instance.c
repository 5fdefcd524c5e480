/* instance: see instance.h. The list is that of Braze's API documentation (API overview > Endpoints), November 2026.
   Hosts can't be computed from names: there is no US-09, US-10 breaks the pattern, the European hosts end in .eu. */
#define _GNU_SOURCE /* inet_pton under -std=c11 */
#include "service/instance.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "service/advice.h"
#include "base/text.h"

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

/* One URL taken apart; the parts point into the text. */
struct parts {
  const char *host;
  size_t host_length; /* brackets included */
  const char *port;
  size_t port_length; /* 0 = none */
  const char *path;
  size_t path_length;
};

static size_t digits(const char *text, size_t length) {
  size_t at = 0;
  while (at < length && text[at] >= '0' && text[at] <= '9') at++;
  return at;
}

/* Whether the four parts of a dotted address are there and the first is 127. */
static bool is_loopback_v4(const char *host) {
  int part;
  if (strncmp(host, "127.", 4) != 0) return false;
  for (part = 0; part < 4; part++) {
    size_t count = digits(host, strlen(host));
    if (count == 0 || count > 3 || (count == 3 && memcmp(host, "255", 3) > 0)) return false;
    if (count > 1 && host[0] == '0') return false; /* to a resolver that is a name, or octal */
    host += count;
    if (*host != (part < 3 ? '.' : '\0')) return false;
    host++;
  }
  return true;
}

bool braze_instance_is_loopback(const char *host) {
  return braze_text_same(host, strlen(host), "localhost") || strcmp(host, "::1") == 0 || is_loopback_v4(host);
}

/* Finds host, port and path in what follows "://". NULL, or what is wrong. */
static const char *split(const char *text, size_t length, struct parts *parts) {
  size_t end = 0;
  memset(parts, 0, sizeof *parts);
  while (end < length && !strchr("/?#", text[end])) end++;
  if (memchr(text, '@', end)) return "holds a user";
  if (memchr(text + end, '?', length - end)) return "holds a query";
  if (memchr(text + end, '#', length - end)) return "holds a fragment";
  parts->host = text;
  parts->path = text + end;
  parts->path_length = length - end;
  if (end > 0 && text[0] == '[') {
    const char *bracket = memchr(text, ']', end);
    if (!bracket) return "holds a \"[\" without its \"]\"";
    parts->host_length = (size_t)(bracket - text) + 1;
  } else {
    while (parts->host_length < end && text[parts->host_length] != ':') parts->host_length++;
  }
  if (parts->host_length < end) {
    parts->port = text + parts->host_length + 1;
    parts->port_length = end - parts->host_length - 1;
    if (text[parts->host_length] != ':') return "has a host that can't be read";
  }
  return NULL;
}

static bool is_host_character(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         letter == '-' || letter == '.' || letter == '_';
}

static bool is_address_v6(const char *text, size_t length) {
  char copy[INET6_ADDRSTRLEN];
  unsigned char address[16];
  if (length >= sizeof copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  return inet_pton(AF_INET6, copy, address) == 1;
}

static const char *check_host(const struct parts *parts) {
  bool bracketed = parts->host_length > 0 && parts->host[0] == '[';
  size_t i;
  if (parts->host_length == 0) return "has no host";
  if (parts->host_length > 253) return "has a host of more than 253 characters";
  if (bracketed && parts->host_length < 4) return "has a host that can't be read";
  for (i = bracketed; i < parts->host_length - bracketed; i++) {
    char letter = parts->host[i];
    bool address = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F') ||
                   letter == ':' || letter == '.';
    if (bracketed ? !address : !is_host_character(letter)) return "has a host that can't be read";
  }
  if (bracketed) return is_address_v6(parts->host + 1, parts->host_length - 2) ? NULL : "has a host that can't be read";
  for (i = 0; i + 1 < parts->host_length; i++)
    if (parts->host[i] == '.' && parts->host[i + 1] == '.') return "has a host that can't be read";
  if (parts->host[0] == '.' || parts->host[0] == '-') return "has a host that can't be read";
  return NULL;
}

static const char bad_port[] = "has a port that is no number from 1 to 65535";

static const char *check_port(const struct parts *parts) {
  unsigned port = 0;
  size_t i;
  if (!parts->port) return NULL;
  if (parts->port_length == 0 || parts->port_length > 5 || digits(parts->port, parts->port_length) < parts->port_length)
    return bad_port;
  for (i = 0; i < parts->port_length; i++) port = port * 10 + (unsigned)(parts->port[i] - '0');
  return port >= 1 && port <= UINT16_MAX ? NULL : bad_port;
}

/* "." and ".." (or %2e) would be folded away by libcurl, and the request would go elsewhere than written. */
static const char *check_path(const struct parts *parts) {
  const char *at = parts->path, *end = parts->path + parts->path_length;
  while (at < end) {
    size_t dots = 0;
    for (at++; at < end && *at != '/'; dots++) {
      if (end - at >= 3 && braze_text_same(at, 3, "%2e"))
        at += 3;
      else if (*at == '.')
        at++;
      else
        break;
    }
    if (dots > 0 && dots <= 2 && (at == end || *at == '/')) return "holds a \".\" or \"..\" in its path";
    while (at < end && *at != '/') at++;
  }
  return NULL;
}

static bool read_url(const char *scheme_end, const char *end, struct braze_origin *origin, struct braze_buffer *message,
                     struct braze_buffer *hint) {
  struct parts parts;
  size_t length = (size_t)(end - scheme_end);
  const char *wrong = split(scheme_end, length, &parts);
  bool bracketed;
  if ((length >= 8 && braze_text_same(scheme_end, 8, "https://")) || (length >= 7 && braze_text_same(scheme_end, 7, "http://"))) wrong = "begins with a scheme twice";
  if (!wrong) wrong = check_host(&parts);
  if (!wrong) wrong = check_port(&parts);
  if (!wrong) wrong = check_path(&parts);
  if (wrong) {
    braze_buffer_print(message, "endpoint %s", wrong);
    if (wrong == bad_port && parts.port_length > 0 && !braze_text_may_be_key(parts.port, parts.port_length)) {
      braze_buffer_print(message, ": ");
      braze_text_quote(message, parts.port, parts.port_length, 8);
    }
    braze_buffer_print(hint, SHORT_EXAMPLE);
    return false;
  }
  bracketed = parts.host[0] == '[';
  memcpy(origin->host, parts.host + bracketed, parts.host_length - 2u * bracketed);
  origin->host[parts.host_length - 2u * bracketed] = '\0';
  origin->loopback = braze_instance_is_loopback(origin->host);
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

const char *braze_instance_check_authority(const char *text, size_t length) {
  struct parts parts;
  const char *wrong = split(text, length, &parts);
  if (!wrong) wrong = check_host(&parts);
  if (!wrong) wrong = check_port(&parts);
  return wrong || parts.path_length == 0 ? wrong : "holds more than a host and a port";
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
