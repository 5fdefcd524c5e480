/* link: see link.h. The form is that of RFC 8288: <target>; name=value; ..., and a comma between two links. */
#include "http/link.h"

#include <string.h>

#include "base/text.h"

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return at;
}

/* Whether the parameters of a link, from *at on, name the relation "next". Moves *at behind them and the comma. */
static bool is_next(const char **at, const char *end) {
  bool next = false;
  const char *here = *at;
  while ((here = skip_space(here, end)) < end && *here == ';') {
    const char *name = here = skip_space(here + 1, end), *value;
    size_t name_length, value_length;
    while (here < end && *here != '=' && *here != ';' && *here != ',') here++;
    name_length = (size_t)(here - name);
    if (here == end || *here != '=') continue;
    value = ++here;
    if (here < end && *here == '"') {
      value = ++here;
      while (here < end && *here != '"') here++;
      value_length = (size_t)(here - value);
      if (here < end) here++;
    } else {
      while (here < end && *here != ';' && *here != ',') here++;
      value_length = (size_t)(here - value);
    }
    if (braze_text_same(name, name_length, "rel") && braze_text_same(value, value_length, "next")) next = true;
  }
  while (here < end && *here != ',') here++;
  *at = here < end ? here + 1 : end;
  return next;
}

/* The path and query of a target that is on the host; NULL where it is on another one. */
static const char *on_host(const char *target, size_t length, const char *authority) {
  size_t scheme = length >= 8 && braze_text_same(target, 8, "https://") ? 8 : length >= 7 && braze_text_same(target, 7, "http://") ? 7 : 0;
  size_t host = strlen(authority);
  if (length > 0 && target[0] == '/' && !(length > 1 && target[1] == '/')) return target;
  if (scheme == 0 || length < scheme + host || !braze_text_same(target + scheme, host, authority)) return NULL;
  return length > scheme + host && target[scheme + host] == '/' ? target + scheme + host : NULL;
}

bool braze_link_next(const char *text, size_t length, const char *authority, const char **query, size_t *query_length) {
  const char *at = text, *end = text + length;
  while ((at = skip_space(at, end)) < end && *at == '<') {
    const char *target = at + 1, *close = memchr(target, '>', (size_t)(end - target)), *path, *mark;
    if (!close) return false;
    at = close + 1;
    if (!is_next(&at, end)) continue;
    path = on_host(target, (size_t)(close - target), authority);
    mark = path ? memchr(path, '?', (size_t)(close - path)) : NULL;
    if (!mark) return false;
    *query = mark + 1;
    *query_length = (size_t)(close - mark - 1);
    return *query_length > 0;
  }
  return false;
}
