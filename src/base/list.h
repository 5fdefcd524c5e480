/* list: doubly linked lists whose links lie in what they link, so that nothing here can run out of memory. */
#ifndef BRAZE_LIST_H
#define BRAZE_LIST_H

#include <stddef.h>

struct braze_link {
  struct braze_link *next, *previous;
};

struct braze_list {
  struct braze_link *first, *last;
};

/* What a link lies in. */
#define BRAZE_OWNER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void braze_list_append(struct braze_list *list, struct braze_link *link) {
  link->next = NULL;
  link->previous = list->last;
  if (list->last)
    list->last->next = link;
  else
    list->first = link;
  list->last = link;
}

static inline void braze_list_prepend(struct braze_list *list, struct braze_link *link) {
  link->previous = NULL;
  link->next = list->first;
  if (list->first)
    list->first->previous = link;
  else
    list->last = link;
  list->first = link;
}

static inline void braze_list_remove(struct braze_list *list, struct braze_link *link) {
  if (link->previous)
    link->previous->next = link->next;
  else
    list->first = link->next;
  if (link->next)
    link->next->previous = link->previous;
  else
    list->last = link->previous;
  link->next = link->previous = NULL;
}

/* Takes the first link out; NULL where the list is empty. */
static inline struct braze_link *braze_list_take(struct braze_list *list) {
  struct braze_link *link = list->first;
  if (link) braze_list_remove(list, link);
  return link;
}

/* Empties the list; what was in it, in its order. */
static inline struct braze_list braze_list_take_all(struct braze_list *list) {
  struct braze_list taken = *list;
  list->first = list->last = NULL;
  return taken;
}

#endif
