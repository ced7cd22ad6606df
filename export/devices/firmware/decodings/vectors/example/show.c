/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

enum { SHOWN = 8 }; /* values that are printed */

void show(const model_answer *answer) {
  printf("vector of %d, in thousandths:", MODEL_DIMENSION);
  for (int index = 0; index < MODEL_DIMENSION && index < SHOWN; ++index) {
    printf(" %d", (int)(answer->vector[index] * 1000.0f));
  }
  printf("\n");
}
