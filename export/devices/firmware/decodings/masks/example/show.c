/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

#include "model_io.h"

void show(const model_answer *answer) {
  for (int label = 0; label < MODEL_CLASSES; ++label) {
    long pixels = 0;
    for (int row = 0; row < MODEL_MASK_HEIGHT; ++row) {
      for (int column = 0; column < MODEL_MASK_WIDTH; ++column) {
        pixels += answer->mask[row][column] == label;
      }
    }
    printf("%s%s %ld pixels", label == 0 ? "" : ", ", model_labels[label], pixels);
  }
  printf("\n");
}
