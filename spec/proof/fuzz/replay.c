/* replay: runs a fuzz target over files, without libFuzzer: on a plain build, and to look at one input by hand. */
#include "fuzz.h"

int main(int count, char **paths) {
  static uint8_t bytes[1 << 16];
  int i;
  for (i = 1; i < count; i++) {
    FILE *file = fopen(paths[i], "rb");
    size_t size;
    CLAIM(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    fprintf(stderr, "%s\n", paths[i]); /* the last one is the one that failed */
    LLVMFuzzerTestOneInput(bytes, size);
  }
  printf("%d files\n", count - 1);
  return 0;
}
