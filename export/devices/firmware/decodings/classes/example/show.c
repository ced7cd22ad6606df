/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

#include "model_io.h"

void show(const model_answer *answer) {
  if (!answer->accepted) {
    printf("none of these: ");
  }
  for (int rank = 0; rank < MODEL_TOP; ++rank) {
    printf("%s%s %d%%", rank == 0 ? "" : ", ", model_labels[answer->labels[rank]],
           (int)(answer->scores[rank] * 100.0f));
  }
  printf("\n");
}
