/* advice: see advice.h. */
#include "service/advice.h"

#include <string.h>

#include "service/instance.h"
#include "base/text.h"
#include "http/url.h"

#define MOST_SHOWN 200
#define LONGEST_HOST 253
#define LONGEST_NEAR 12
#define LEAST_UUID 32 /* what a key of Braze's looks like */
#define MOST_INSTANCES 64
#define EXAMPLE                                                                                                                            \
  "write the REST endpoint shown beside the API key in the dashboard, such as \"https://rest.iad-01.braze.com\", or an instance's name, such as \"US-01\""

static bool begins(const char *text, size_t length, const char *beginning) {
  return length >= strlen(beginning) && braze_text_same(text, strlen(beginning), beginning);
}

static bool ends(const char *text, size_t length, const char *end) {
  return length >= strlen(end) && braze_text_same(text + length - strlen(end), strlen(end), end);
}

/* Leaves the dot that ends a name out of its length. */
static bool is_in_domain(const char *host, size_t *length) {
  if (*length > 0 && host[*length - 1] == '.') --*length;
  return braze_text_same(host, *length, "braze.com") || braze_text_same(host, *length, "braze.eu") || ends(host, *length, ".braze.com") ||
         ends(host, *length, ".braze.eu");
}

bool braze_advice_is_braze(const char *host) {
  size_t length = strlen(host);
  return is_in_domain(host, &length);
}

/* The host of an instance's REST endpoint. */
static const char *rest_host(const struct braze_instance *instance) {
  return instance->url + strlen("https://");
}

/* The part of that host which tells the instance: "iad-01". */
static const char *label_of(const struct braze_instance *instance, size_t *length) {
  const char *label = rest_host(instance) + strlen("rest.");
  *length = strcspn(label, ".");
  return label;
}

bool braze_advice_is_unknown(const char *host) {
  size_t length = strlen(host), i;
  const struct braze_instance *instance;
  if (!is_in_domain(host, &length)) return false;
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++)
    if (braze_text_same(host, length, rest_host(instance))) return false;
  return true;
}

/* Appends the names of all instances. */
static void say_names(struct braze_buffer *hint) {
  const struct braze_instance *instance;
  size_t i;
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++) braze_buffer_print(hint, "%s%s", i == 0 ? "" : ", ", instance->name);
}

/* The instance that a dashboard's or an SDK's host belongs to, NULL = it is not known. */
static const struct braze_instance *find_owner(const char *host, size_t length) {
  const struct braze_instance *instance;
  size_t i;
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++)
    if (braze_text_same(host, length, instance->dashboard) ||
        (begins(host, length, "sdk.") && braze_text_same(host + 4, length - 4, rest_host(instance) + strlen("rest."))))
      return instance;
  return NULL;
}

/* The instance that one part of a host names, by its label (iad-01) or its name (us-01); NULL = none. */
static const struct braze_instance *find_named(const char *host, size_t length) {
  const struct braze_instance *instance;
  size_t at = 0, i;
  while (at < length) {
    size_t part = 0;
    while (at + part < length && host[at + part] != '.') part++;
    for (i = 0; (instance = braze_instance_at(i)) != NULL; i++) {
      size_t label_length;
      const char *label = label_of(instance, &label_length);
      if ((label_length == part && strncmp(host + at, label, part) == 0) || braze_text_same(host + at, part, instance->name))
        return instance;
    }
    at += part + 1;
  }
  return NULL;
}

bool braze_advice_refuse_host(const char *host, struct braze_buffer *message, struct braze_buffer *hint) {
  size_t length = strlen(host);
  bool sdk = begins(host, length, "sdk."), dashboard = begins(host, length, "dashboard");
  const struct braze_instance *instance;
  if (!braze_advice_is_unknown(host)) return false;
  if (sdk || dashboard) {
    braze_buffer_print(message, "%s is the address of %s, not a REST endpoint", host, sdk ? "Braze's SDKs" : "a dashboard");
    instance = find_owner(host, length);
    if (instance)
      braze_buffer_print(hint, "its REST endpoint is \"%s\", instance \"%s\"", instance->url, instance->name);
    else
      braze_buffer_print(hint, EXAMPLE);
    return true;
  }
  instance = find_named(host, length);
  if (begins(host, length, "rest.") && (!instance || !begins(host + 5, length - 5, instance->name))) return false;
  braze_buffer_print(message, "%s is no REST endpoint of Braze", host);
  if (instance)
    braze_buffer_print(hint, "did you mean \"%s\", instance \"%s\"?", instance->url, instance->name);
  else
    braze_buffer_print(hint, EXAMPLE);
  return true;
}

/* The length of what stands where "https://" belongs, as far as that can be told: "https//", "http:", "//"; 0 = nothing. */
static size_t scheme_length(const char *text, size_t length) {
  size_t at = 0, marks;
  if (begins(text, length, "http")) at = begins(text, length, "https") ? 5 : 4;
  for (marks = 0; at + marks < length && strchr(":/;\\", text[at + marks]) != NULL; marks++) continue;
  return marks > 0 && (at > 0 || marks > 1) ? at + marks : 0;
}

/* Copies the host of "host:port", without brackets. False: it is none. */
static bool read_host(const char *text, size_t length, char host[LONGEST_HOST + 1]) {
  struct braze_url url;
  size_t bracket = text[0] == '[', host_length = 0;
  if (length > LONGEST_HOST || braze_url_read_authority(text, length, &url)) return false;
  while (bracket + host_length < length && text[bracket + host_length] != (bracket ? ']' : ':')) host_length++;
  memcpy(host, text + bracket, host_length);
  host[host_length] = '\0';
  return true;
}

/* Whether a host is an address in numbers. */
static bool is_number(const char *host) {
  size_t dots = 0, i;
  if (strchr(host, ':')) return true;
  for (i = 0; host[i] == '.' || (host[i] >= '0' && host[i] <= '9'); i++) dots += host[i] == '.';
  return host[i] == '\0' && dots == 3;
}

/* A host, and perhaps port and path, without "https://" or with something wrong in its place (`scheme` bytes long). It is shown if it
   is Braze's, this machine's, or a number: a name of another kind may be a key. False: it is something else. */
static bool refuse_address(const char *text, size_t length, size_t scheme, struct braze_buffer *message, struct braze_buffer *hint) {
  const char *rest = text + scheme, *expected;
  size_t rest_length = length - scheme, authority = 0;
  char host[LONGEST_HOST + 1] = "";
  while (authority < rest_length && rest[authority] != '/') authority++;
  if (authority == 0 || memchr(rest, '@', rest_length) || memchr(rest, '?', rest_length) || memchr(rest, '#', rest_length) ||
      !read_host(rest, authority, host))
    return false;
  if (!braze_advice_is_braze(host) && !braze_url_is_loopback(host) && !is_number(host)) return false;
  if (braze_advice_refuse_host(host, message, hint)) return true;
  if (!braze_advice_is_braze(host)) rest_length = authority; /* its path may be anything */
  expected = braze_url_is_loopback(host) ? "http://" : "https://";
  braze_buffer_print(message, "endpoint ");
  braze_text_quote(message, text, scheme + rest_length, MOST_SHOWN);
  braze_buffer_print(message, " does not begin with %s", expected);
  braze_buffer_print(hint, "did you mean \"%s", expected);
  braze_text_escape(hint, rest, rest_length, MOST_SHOWN);
  braze_buffer_print(hint, "\"?");
  return true;
}

/* The names by which an instance may be asked for: its own, then its label. */
static const char *name_at(const void *names, int index) {
  return ((const char *const *)names)[index];
}

/* Says which instance is meant by a text that is nearly its name or its label. False: none. */
static bool refuse_near_name(const char *text, size_t length, struct braze_buffer *message, struct braze_buffer *hint) {
  const char *names[2 * MOST_INSTANCES];
  char labels[MOST_INSTANCES][16];
  const struct braze_instance *instance;
  size_t before;
  int count, nearest;
  for (count = 0; count < MOST_INSTANCES && (instance = braze_instance_at((size_t)count)) != NULL; count++) {
    size_t label_length;
    const char *label = label_of(instance, &label_length);
    if (label_length >= sizeof labels[count]) label_length = sizeof labels[count] - 1;
    memcpy(labels[count], label, label_length);
    labels[count][label_length] = '\0';
    names[2 * count] = instance->name;
    /* A label that is the name but for its case ("us-10") would be as near as that. */
    names[2 * count + 1] = braze_text_same(labels[count], label_length, instance->name) ? "" : labels[count];
  }
  before = begins(text, length, "rest.") ? strlen("rest.") : 0;
  if (length - before > LONGEST_NEAR) return false; /* no name is near, and it may be a key with a name in it */
  nearest = braze_text_nearest(text + before, length - before, name_at, names, 2 * count);
  if (nearest < 0) return false;
  instance = braze_instance_at((size_t)nearest / 2);
  braze_buffer_print(message, "endpoint ");
  braze_text_quote(message, text, length, MOST_SHOWN);
  braze_buffer_print(message, " is no instance of Braze");
  braze_buffer_print(hint, "did you mean \"%s\"", instance->name);
  if (nearest % 2 == 1) braze_buffer_print(hint, ", which is %s", instance->url);
  braze_buffer_print(hint, "? braze.instances lists them all; any https:// URL is taken too");
  return true;
}

void braze_advice_refuse_text(const char *text, size_t length, struct braze_buffer *message, struct braze_buffer *hint) {
  size_t scheme = scheme_length(text, length);
  if (length == 0) {
    braze_buffer_print(message, "endpoint is empty");
    braze_buffer_print(hint, EXAMPLE);
  } else if (refuse_near_name(text, length, message, hint) || refuse_address(text, length, scheme, message, hint)) {
    return;
  } else if (scheme > 0) {
    braze_buffer_print(message, "endpoint begins with ");
    braze_text_quote(message, text, scheme, MOST_SHOWN);
    braze_buffer_print(message, ", which does not begin with https:// (the rest is not shown, it may be a key)");
    braze_buffer_print(hint, "write \"https://\" in its place");
  } else if (!braze_text_may_be_key(text, length)) {
    braze_buffer_print(message, "endpoint ");
    braze_text_quote(message, text, length, MOST_SHOWN);
    braze_buffer_print(message, " is no instance of Braze");
    braze_buffer_print(hint, "the instances are ");
    say_names(hint);
    braze_buffer_print(hint, "; any https:// URL is taken too");
  } else if (memchr(text, '.', length) || memchr(text, ':', length) || memchr(text, '/', length)) {
    braze_buffer_print(message, "endpoint does not begin with https:// (not shown, it may be a key)");
    braze_buffer_print(hint, "if it is a host, write \"https://\" in front of it; else " EXAMPLE);
  } else {
    braze_buffer_print(
        message, "endpoint is neither an https:// URL nor an instance's name (it has %zu characters; not shown, it may be a key)", length);
    braze_buffer_print(hint, length < LEAST_UUID ? EXAMPLE : EXAMPLE "; are api_key and endpoint swapped?");
  }
}
