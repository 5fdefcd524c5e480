/* timetable: see timetable.h. heap_before is the previous sibling, or the parent of a first child; NULL for the root. */
#include "base/heap.h"

/* Joins two heaps, either of which may be empty; roots have no siblings. */
static struct braze_call *meld(struct braze_call *left, struct braze_call *right) {
  struct braze_call *top = left, *below = right;
  if (!left) return right;
  if (!right) return left;
  if (right->due < left->due) {
    top = right;
    below = left;
  }
  below->heap_sibling = top->heap_child;
  if (top->heap_child) top->heap_child->heap_before = below;
  below->heap_before = top;
  top->heap_child = below;
  return top;
}

static struct braze_call *detach(struct braze_call *call) {
  call->heap_before = call->heap_sibling = NULL;
  return call;
}

/* Joins a row of siblings: pairs from the left, then the pairs from the right. */
static struct braze_call *meld_row(struct braze_call *row) {
  struct braze_call *pairs = NULL, *result = NULL;
  while (row) {
    struct braze_call *left = row, *right = row->heap_sibling;
    row = right ? right->heap_sibling : NULL;
    left = meld(detach(left), right ? detach(right) : NULL);
    left->heap_sibling = pairs;
    pairs = left;
  }
  while (pairs) {
    struct braze_call *pair = pairs;
    pairs = pair->heap_sibling;
    result = meld(result, detach(pair));
  }
  return result;
}

void braze_timetable_add(struct braze_timetable *timetable, struct braze_call *call) {
  call->heap_child = NULL;
  timetable->first = meld(timetable->first, detach(call));
}

void braze_timetable_remove(struct braze_timetable *timetable, struct braze_call *call) {
  struct braze_call *children = meld_row(call->heap_child);
  call->heap_child = NULL;
  if (timetable->first == call) {
    timetable->first = children;
    return;
  }
  if (!call->heap_before) return;
  if (call->heap_before->heap_child == call)
    call->heap_before->heap_child = call->heap_sibling;
  else
    call->heap_before->heap_sibling = call->heap_sibling;
  if (call->heap_sibling) call->heap_sibling->heap_before = call->heap_before;
  detach(call);
  timetable->first = meld(timetable->first, children);
}
