/* heap: what is due next; of nodes that are due at the same time, the one that was added first. A pairing heap whose nodes lie in
   what it orders, so that nothing here can run out of memory. */
#ifndef BRAZE_HEAP_H
#define BRAZE_HEAP_H

#include <stdint.h>

struct braze_heap_node {
  double due;
  uint64_t number; /* of the addition, counted by the heap */
  struct braze_heap_node *child, *sibling;
  struct braze_heap_node *before; /* the previous sibling, or the parent of a first child; NULL for the root */
};

struct braze_heap {
  struct braze_heap_node *first; /* the earliest due; NULL where the heap is empty */
  uint64_t added;                /* nodes so far */
};

/* Adds a node, which must not be in a heap, under node->due. */
void braze_heap_add(struct braze_heap *heap, struct braze_heap_node *node);

/* Removes a node. One that is not in the heap stays as it is. */
void braze_heap_remove(struct braze_heap *heap, struct braze_heap_node *node);

#endif
