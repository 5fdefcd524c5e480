/* list: calls in the order in which they came, linked both ways by their own fields; each call is in one list at most. */
#ifndef BRAZE_LIST_H
#define BRAZE_LIST_H

#include "http/call.h"

struct list {
  struct braze_call *first, *last;
};

static inline void append(struct list *list, struct braze_call *call) {
  call->next = NULL;
  call->previous = list->last;
  if (list->last)
    list->last->next = call;
  else
    list->first = call;
  list->last = call;
}

static inline void unlink_from(struct list *list, struct braze_call *call) {
  if (call->previous)
    call->previous->next = call->next;
  else
    list->first = call->next;
  if (call->next)
    call->next->previous = call->previous;
  else
    list->last = call->previous;
  call->next = call->previous = NULL;
}

#endif
