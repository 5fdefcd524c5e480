/* heap: what is due next. A pairing heap whose nodes lie in what it orders, so that nothing here can run out of memory. */
#ifndef BRAZE_HEAP_H
#define BRAZE_HEAP_H

struct braze_heap_node {
  double due;
  struct braze_heap_node *child, *sibling;
  struct braze_heap_node *before; /* the previous sibling, or the parent of a first child; NULL for the root */
};

struct braze_heap {
  struct braze_heap_node *first; /* the earliest due; NULL where the heap is empty */
};

/* Adds a node, which must not be in a heap, under node->due. */
void braze_heap_add(struct braze_heap *heap, struct braze_heap_node *node);

/* Removes a node. One that is not in the heap stays as it is. */
void braze_heap_remove(struct braze_heap *heap, struct braze_heap_node *node);

#endif
