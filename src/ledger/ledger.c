/* ledger: see ledger.h. */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/wipe.h"
#include "ledger/ledger_state.h"
#include "ledger/library.h"
#include "process/process.h"

static char *copy(const char *text, size_t length) {
  char *made = malloc(length + 1);
  if (!made) return NULL;
  memcpy(made, text, length);
  made[length] = '\0';
  return made;
}

static bool refuse(struct braze_buffer *message, struct braze_buffer *hint, const char *what, const char *cure) {
  braze_buffer_print(message, "%s", what);
  braze_buffer_print(hint, "%s", cure);
  return false;
}

#define MAX_SCHEME_SHOWN 20
#define URL_HINT                                                                                                                           \
  "write the path of a file (\"/var/lib/app/braze.db\"), or a URL: postgresql://user@host/database, redis://host"

static bool check_url(const char *url, size_t length, struct braze_buffer *message, struct braze_buffer *hint) {
  size_t i, word = strcspn(url, ":/.");
  if (length == 0) return refuse(message, hint, "ledger is empty", URL_HINT);
  for (i = 0; i < length; i++)
    if ((unsigned char)url[i] < ' ' || url[i] == 0x7F) return refuse(message, hint, "ledger holds a control character", URL_HINT);
  if (strcmp(url, ":memory:") == 0) return refuse(message, hint, "ledger is \":memory:\", which no other process sees", URL_HINT);
  /* As other libraries write a path ("sqlite:", "file:"), or a scheme without its slashes. */
  if (url[word] == ':' && strncmp(url + word, "://", 3) != 0) {
    braze_buffer_print(message, "ledger begins with ");
    braze_text_quote(message, url, word + 1, MAX_SCHEME_SHOWN);
    braze_buffer_print(hint, "begin with \"./\" if it is a file, or ");
    return refuse(message, hint, ", which is neither a path nor a URL", URL_HINT);
  }
  if (braze_library_kind(url)) return true;
  braze_buffer_print(message, "ledger has the scheme ");
  braze_text_quote(message, url, strcspn(url, ":"), MAX_SCHEME_SHOWN);
  return refuse(message, hint, ", for which there is no store", URL_HINT);
}

/* Scheme, host and path alone: a user, a password and options may be secret. */
static void show(struct braze_ledger *ledger) {
  const char *scheme = strstr(ledger->url, "://"), *start = scheme ? scheme + 3 : ledger->url, *end = start + strcspn(start, "/?#"), *at;
  struct braze_buffer out;
  braze_buffer_borrow(&out, ledger->shown, sizeof ledger->shown);
  if (!scheme) {
    braze_text_escape(&out, ledger->url, strlen(ledger->url), sizeof ledger->shown - 4);
    return;
  }
  braze_buffer_append(&out, ledger->url, (size_t)(start - ledger->url));
  for (at = start; at < end; at++)
    if (*at == '@') start = at + 1;
  braze_text_escape(&out, start, strcspn(start, "?#"), 200);
}

static void free_ledger(struct braze_ledger *ledger) {
  if (ledger->url) braze_wipe(ledger->url, strlen(ledger->url));
  free(ledger->url);
  free(ledger->places);
  free(ledger->workspace);
  pthread_mutex_destroy(&ledger->mutex);
  pthread_cond_destroy(&ledger->done);
  free(ledger);
}

bool braze_ledger_new(struct braze_ledger **made, const char *url, size_t length, const char *places, struct braze_buffer *message,
                      struct braze_buffer *hint) {
  struct braze_ledger *ledger;
  if (!check_url(url, length, message, hint)) return false;
  ledger = calloc(1, sizeof *ledger);
  if (!ledger) return false;
  atomic_init(&ledger->references, 1);
  atomic_init(&ledger->all, 1);
  ledger->process = braze_process_forks();
  pthread_mutex_init(&ledger->mutex, NULL);
  braze_lane_open_condition(&ledger->done);
  ledger->url = copy(url, length);
  ledger->places = places ? copy(places, strlen(places)) : NULL;
  if (!ledger->url || (places && !ledger->places)) {
    free_ledger(ledger);
    return false;
  }
  ledger->kind = braze_library_kind(ledger->url);
  show(ledger);
  *made = ledger;
  return true;
}

bool braze_ledger_set_workspace(struct braze_ledger *ledger, const char *text, size_t length, struct braze_buffer *message,
                                struct braze_buffer *hint) {
  static const char cure[] = "name the Braze workspace whose quota is shared, the same way in every program: workspace = \"shop-eu\"";
  size_t i;
  if (length == 0) return refuse(message, hint, "workspace is empty", cure);
  if (length > BRAZE_MAX_WORKSPACE) return refuse(message, hint, "workspace has more than 255 bytes", cure);
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7F) return refuse(message, hint, "workspace holds a control character", cure);
  if (braze_text_utf8_length(text, length) < length) return refuse(message, hint, "workspace is not UTF-8", cure);
  free(ledger->workspace);
  ledger->workspace = copy(text, length);
  return ledger->workspace != NULL;
}

struct braze_ledger *braze_ledger_retain(struct braze_ledger *ledger) {
  atomic_fetch_add(&ledger->all, 1);
  atomic_fetch_add(&ledger->references, 1);
  return ledger;
}

void braze_ledger_release_all(struct braze_ledger *ledger) {
  if (atomic_fetch_sub(&ledger->all, 1) == 1) free_ledger(ledger);
}

void braze_ledger_release(struct braze_ledger *ledger) {
  if (!ledger) return;
  if (atomic_fetch_sub(&ledger->references, 1) == 1) braze_lane_end(ledger);
  braze_ledger_release_all(ledger);
}

bool braze_ledger_take_warning(struct braze_ledger *ledger, struct braze_buffer *out) {
  bool there;
  pthread_mutex_lock(&ledger->mutex);
  there = ledger->warning[0] != '\0';
  if (there) braze_buffer_print(out, "braze: the ledger %s: %s", ledger->shown, ledger->warning);
  ledger->warning[0] = '\0';
  pthread_mutex_unlock(&ledger->mutex);
  return there;
}

const char *braze_ledger_workspace(const struct braze_ledger *ledger) {
  return ledger->workspace;
}

const char *braze_ledger_shown(const struct braze_ledger *ledger) {
  return ledger->shown;
}
