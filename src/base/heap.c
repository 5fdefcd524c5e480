/* heap: see heap.h. */
#include "base/heap.h"

#include <stdbool.h>
#include <stddef.h>

static bool comes_before(const struct braze_heap_node *one, const struct braze_heap_node *other) {
  return one->due < other->due || (one->due == other->due && one->number < other->number);
}

/* Joins two heaps, either of which may be empty. Roots have no siblings. */
static struct braze_heap_node *meld(struct braze_heap_node *one, struct braze_heap_node *other) {
  struct braze_heap_node *top = one, *below = other;
  if (!one) return other;
  if (!other) return one;
  if (comes_before(other, one)) {
    top = other;
    below = one;
  }
  below->sibling = top->child;
  if (top->child) top->child->before = below;
  below->before = top;
  top->child = below;
  return top;
}

static struct braze_heap_node *detach(struct braze_heap_node *node) {
  node->before = node->sibling = NULL;
  return node;
}

/* Joins a row of siblings: first in pairs from the left, then the pairs from the right. */
static struct braze_heap_node *meld_row(struct braze_heap_node *row) {
  struct braze_heap_node *pairs = NULL, *result = NULL;
  while (row) {
    struct braze_heap_node *one = row, *other = row->sibling;
    row = other ? other->sibling : NULL;
    one = meld(detach(one), other ? detach(other) : NULL);
    one->sibling = pairs;
    pairs = one;
  }
  while (pairs) {
    struct braze_heap_node *pair = pairs;
    pairs = pair->sibling;
    result = meld(result, detach(pair));
  }
  return result;
}

void braze_heap_add(struct braze_heap *heap, struct braze_heap_node *node) {
  node->child = NULL;
  node->number = heap->added++;
  heap->first = meld(heap->first, detach(node));
}

void braze_heap_remove(struct braze_heap *heap, struct braze_heap_node *node) {
  struct braze_heap_node *children = meld_row(node->child);
  node->child = NULL;
  if (heap->first == node) {
    heap->first = children;
    return;
  }
  if (!node->before) return;
  if (node->before->child == node)
    node->before->child = node->sibling;
  else
    node->before->sibling = node->sibling;
  if (node->sibling) node->sibling->before = node->before;
  detach(node);
  heap->first = meld(heap->first, children);
}
