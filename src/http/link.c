/* link: see link.h. The form is that of RFC 8288: <target>; name=value; ..., and a comma between two links. */
#include "http/link.h"

#include <string.h>

#include "base/text.h"

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return at;
}

struct part {
  const char *text;
  size_t length;
};

/* The value of a parameter: a token, or what stands in quotes, with its escapes as they are. Moves *at behind it. */
static struct part read_value(const char **at, const char *end) {
  const bool quoted = *at < end && **at == '"';
  struct part value = {*at + quoted, 0};
  const char *here = value.text;
  for (; here < end && (quoted ? *here != '"' : !strchr(";, \t", *here)); here++)
    if (quoted && *here == '\\' && here + 1 < end) here++;
  value.length = (size_t)(here - value.text);
  *at = quoted && here < end ? here + 1 : here;
  return value;
}

/* Whether a list of relations with spaces between them has "next" in it. */
static bool has_next(struct part list) {
  const char *at = list.text, *end = list.text + list.length, *word;
  while ((word = at = skip_space(at, end)) < end) {
    while (at < end && *at != ' ' && *at != '\t') at++;
    if (braze_text_same(word, (size_t)(at - word), "next")) return true;
  }
  return false;
}

/* Whether the parameters of a link, from *at on, name the relation "next"; of several "rel" the first counts. Moves *at behind them
   and the comma. */
static bool is_next(const char **at, const char *end) {
  bool next = false, seen = false;
  const char *here = *at;
  while ((here = skip_space(here, end)) < end && *here == ';') {
    struct part name = {here = skip_space(here + 1, end), 0}, value;
    while (here < end && !strchr("=;, \t", *here)) here++;
    name.length = (size_t)(here - name.text);
    here = skip_space(here, end);
    if (here == end || *here != '=') continue;
    here = skip_space(here + 1, end);
    value = read_value(&here, end);
    if (seen || !braze_text_same(name.text, name.length, "rel")) continue;
    seen = true;
    next = has_next(value);
  }
  while (here < end && *here != ',') here++;
  *at = here < end ? here + 1 : end;
  return next;
}

/* Whether a target begins with the host, and what follows can't belong to another host's name. `port` is the default port, which may be
   written or left out. */
static bool begins_with_host(struct part target, const char *authority, const char *port) {
  const size_t host = strlen(authority), digits = strlen(port);
  const char *bracket = strchr(authority, ']'); /* the end of an address of version 6, which has colons of its own */
  if (target.length < host || !braze_text_same(target.text, host, authority)) return false;
  target.text += host;
  target.length -= host;
  if (target.length >= digits && !strchr(bracket ? bracket : authority, ':') && memcmp(target.text, port, digits) == 0) {
    target.text += digits;
    target.length -= digits;
  }
  return target.length > 0 && strchr("/?", target.text[0]) && target.text[0];
}

/* Whether a target is on the host: it names that one, or none at all. */
static bool is_on_host(struct part target, const char *authority) {
  const char *port = "";
  size_t i = 0;
  if (target.length >= 2 && target.text[0] == '/' && target.text[1] == '/') {
    i = 2;
  } else if (target.length >= 8 && braze_text_same(target.text, 8, "https://")) {
    i = 8;
    port = ":443";
  } else if (target.length >= 7 && braze_text_same(target.text, 7, "http://")) {
    i = 7;
    port = ":80";
  } else { /* without a scheme no ":" comes before the first "/" or "?" */
    while (i < target.length && !strchr(":/?", target.text[i])) i++;
    return i == target.length || target.text[i] != ':';
  }
  target.text += i;
  target.length -= i;
  return begins_with_host(target, authority, port);
}

bool braze_link_next(const char *text, size_t length, const char *authority, const char **query, size_t *query_length) {
  const char *at = text, *end = text + length;
  while ((at = skip_space(at, end)) < end && *at == '<') {
    const char *close = memchr(at, '>', (size_t)(end - at)), *mark;
    struct part target = {at + 1, 0};
    if (!close) return false;
    target.length = (size_t)(close - target.text);
    at = close + 1;
    if (!is_next(&at, end)) continue;
    mark = memchr(target.text, '#', target.length);
    if (mark) target.length = (size_t)(mark - target.text);
    mark = memchr(target.text, '?', target.length);
    if (!mark || !is_on_host(target, authority)) continue;
    *query = mark + 1;
    *query_length = target.length - (size_t)(mark + 1 - target.text);
    if (*query_length > 0) return true;
  }
  return false;
}
