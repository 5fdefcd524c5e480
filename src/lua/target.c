/* target: what a call calls: an operation by its name, or a route, "METHOD /path". */
#include <string.h>

#include "base/text.h"
#include "lua/binding.h"

static const char *name_at(const void *unused, int index) {
  (void)unused;
  return braze_operation_at((size_t)index)->name;
}

LBRAZE_RAISES static void refuse_name(lua_State *L, const struct braze_settings *settings, const char *method, const char *name,
                                      size_t length) {
  struct lbraze_words words;
  const char *meant;
  int count = 0, nearest;
  while (braze_operation_at((size_t)count)) count++;
  nearest = braze_text_nearest(name, length, name_at, NULL, count);
  meant = nearest >= 0 ? name_at(NULL, nearest) : NULL;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s: there is no operation ", method);
  lbraze_say_name(&words.message, name, length, meant);
  if (meant)
    braze_buffer_print(&words.hint, "did you mean \"%s\"?", meant);
  else
    braze_buffer_print(&words.hint, "braze.operations lists them all; any other endpoint is called as \"POST /users/track\"");
  lbraze_raise_usage(L, settings, &words);
}

void lbraze_read_target(lua_State *L, int index, const struct braze_settings *settings, const char *method, struct lbraze_target *target) {
  size_t length = 0;
  const char *name;
  if (lua_type(L, index) != LUA_TSTRING) {
    char hint[160];
    braze_text_print(hint, sizeof hint, "write client:%s(\"%s\", { name = value }), or a method and a path: \"POST /users/track\"", method,
             strcmp(method, "each") == 0 ? "list_campaigns" : "create_send_id");
    lbraze_refuse_argument(L, index, settings, method, "the name of an operation", hint);
  }
  name = lua_tolstring(L, index, &length);
  memset(target, 0, sizeof *target);
  target->name = name;
  target->operation = braze_operation_find(name, length);
  if (target->operation) {
    target->name = target->operation->name;
  } else if (braze_target_is_meant(name, length)) {
    struct lbraze_words words;
    lbraze_words_init(&words);
    if (!braze_target_read(name, length, &target->route, &words.message, &words.hint)) lbraze_raise_usage(L, settings, &words);
  } else {
    refuse_name(L, settings, method, name, length);
  }
}
