/* url: see url.h. */
#define _GNU_SOURCE /* inet_pton under -std=c11 */
#include "http/url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

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
    if (count > 1 && host[0] == '0') return false; /* a resolver takes it for a name, or for an octal number */
    host += count;
    if (*host != (part < 3 ? '.' : '\0')) return false;
    host++;
  }
  return true;
}

bool braze_url_is_loopback(const char *host) {
  return braze_text_same(host, strlen(host), "localhost") || strcmp(host, "::1") == 0 || is_loopback_v4(host);
}

/* Finds host, port and path in what follows "://". NULL, or what is wrong. */
static const char *split(const char *text, size_t length, struct braze_url *url) {
  size_t end = 0;
  memset(url, 0, sizeof *url);
  while (end < length && !strchr("/?#", text[end])) end++;
  if (memchr(text, '@', end)) return "holds a user";
  if (memchr(text + end, '?', length - end)) return "holds a query";
  if (memchr(text + end, '#', length - end)) return "holds a fragment";
  url->host = text;
  url->path = text + end;
  url->path_length = length - end;
  if (end > 0 && text[0] == '[') {
    const char *bracket = memchr(text, ']', end);
    if (!bracket) return "holds a \"[\" without its \"]\"";
    url->host_length = (size_t)(bracket - text) + 1;
  } else {
    while (url->host_length < end && text[url->host_length] != ':') url->host_length++;
  }
  if (url->host_length < end) {
    url->port = text + url->host_length + 1;
    url->port_length = end - url->host_length - 1;
    if (text[url->host_length] != ':') return "has a host that can't be read";
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

static const char *check_host(const struct braze_url *url) {
  bool bracketed = url->host_length > 0 && url->host[0] == '[';
  size_t i;
  if (url->host_length == 0) return "has no host";
  if (url->host_length > 253) return "has a host of more than 253 characters";
  if (bracketed && url->host_length < 4) return "has a host that can't be read";
  for (i = bracketed; i < url->host_length - bracketed; i++) {
    char letter = url->host[i];
    bool address = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F') ||
                   letter == ':' || letter == '.';
    if (bracketed ? !address : !is_host_character(letter)) return "has a host that can't be read";
  }
  if (bracketed) return is_address_v6(url->host + 1, url->host_length - 2) ? NULL : "has a host that can't be read";
  for (i = 0; i + 1 < url->host_length; i++)
    if (url->host[i] == '.' && url->host[i + 1] == '.') return "has a host that can't be read";
  if (url->host[0] == '.' || url->host[0] == '-') return "has a host that can't be read";
  return NULL;
}

static const char *check_port(struct braze_url *url) {
  unsigned port = 0;
  size_t i;
  if (!url->port) return NULL;
  url->bad_port = url->port_length == 0 || url->port_length > 5 || digits(url->port, url->port_length) < url->port_length;
  for (i = 0; i < url->port_length && !url->bad_port; i++) port = port * 10 + (unsigned)(url->port[i] - '0');
  url->bad_port = url->bad_port || port < 1 || port > UINT16_MAX;
  return url->bad_port ? "has a port that is not a number from 1 to 65535" : NULL;
}

/* "." and ".." (or %2e) would be folded away by libcurl, and the request would go elsewhere than written. */
static const char *check_path(const struct braze_url *url) {
  const char *at = url->path, *end = url->path + url->path_length;
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

const char *braze_url_read(const char *text, size_t length, struct braze_url *url) {
  const char *wrong = split(text, length, url);
  if (!wrong) wrong = check_host(url);
  if (!wrong) wrong = check_port(url);
  return wrong ? wrong : check_path(url);
}

const char *braze_url_read_authority(const char *text, size_t length, struct braze_url *url) {
  const char *wrong = split(text, length, url);
  if (!wrong) wrong = check_host(url);
  if (!wrong) wrong = check_port(url);
  return wrong || url->path_length == 0 ? wrong : "holds more than a host and a port";
}
