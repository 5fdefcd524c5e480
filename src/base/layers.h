/* layers: reads a text with some layers of escapes undone, as those who read it later may see it. */
#ifndef BRAZE_LAYERS_H
#define BRAZE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

/* The number of layers that are undone at most: for example JSON in JSON in a URL, and one more. */
#define BRAZE_MAX_LAYERS 4

/* The length of the longest escape, "&#x0000041;". */
#define BRAZE_LONGEST_ESCAPE 11

/* Added to the number of a character beyond ASCII that an escape names, to tell it from a byte. */
#define BRAZE_NAMED 0x100

struct braze_character {
  int value;  /* a byte, or a character's number and BRAZE_NAMED */
  size_t start, end; /* where it stands in the text */
};

struct braze_layer {
  struct braze_character ahead[BRAZE_LONGEST_ESCAPE];
  size_t count;
};

/* Reads a text from its start to its end, once. */
struct braze_layers {
  const char *text;
  size_t length, at;
  int depth;    /* layers to undo, 0 to BRAZE_MAX_LAYERS */
  bool decoded; /* the last of them had an escape to undo */
  size_t cut;   /* where an escape begins that the end of the text cuts off; else the length of the text */
  struct braze_layer below[BRAZE_MAX_LAYERS];
};

void braze_layers_init(struct braze_layers *layers, const char *text, size_t length, int depth);

/* Reads the next character with `depth` layers of escapes undone: those of JSON (\n \/ \u002f \x2f), of a URL (%2F) and of HTML (&#47;
   &#x2f; &amp;). What only looks like an escape stands for itself. False: the text ends here. */
bool braze_layers_next(struct braze_layers *layers, struct braze_character *character);

#endif
