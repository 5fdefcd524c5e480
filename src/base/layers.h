/* layers: a text as its readers may come to see it: with none, one or several layers of escapes undone. */
#ifndef BRAZE_LAYERS_H
#define BRAZE_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

/* Most layers that are undone: JSON in JSON in a URL, say, and one more. */
#define BRAZE_MAX_LAYERS 4

/* The longest escape has so many characters: "&#x0000041;". */
#define BRAZE_LONGEST_ESCAPE 11

/* Added to the number of a character that an escape names and that is no ASCII, which tells it from a byte. */
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
  int depth;      /* layers that are undone, 0 to BRAZE_MAX_LAYERS */
  bool decoded;   /* the last of them had an escape to undo */
  size_t cut;     /* where an escape begins that the end of the text cuts; the length where there is none */
  struct braze_layer below[BRAZE_MAX_LAYERS];
};

void braze_layers_init(struct braze_layers *layers, const char *text, size_t length, int depth);

/* The next character, with `depth` layers of escapes undone: JSON's (\n \/ \u002f \x2f), a URL's (%2F) and HTML's (&#47; &#x2f;
   &amp;). What only looks like an escape stands for itself. False at the end of the text. */
bool braze_layers_next(struct braze_layers *layers, struct braze_character *character);

#endif
