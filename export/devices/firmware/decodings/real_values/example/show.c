/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

enum { SHOWN = 8 }; /* values that are printed */

void show(const model_answer *answer) {
  const int count = (int)(sizeof answer->values / sizeof answer->values[0]);
  printf("%d values, in thousandths:", count);
  for (int index = 0; index < count && index < SHOWN; ++index) {
    printf(" %d", (int)(answer->values[index] * 1000.0f));
  }
  printf("\n");
}
