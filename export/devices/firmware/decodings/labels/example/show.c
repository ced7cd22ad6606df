/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

#include "model_io.h"

void show(const model_answer *answer) {
  int count = 0;
  for (int label = 0; label < MODEL_CLASSES; ++label) {
    if (answer->predicted[label]) {
      printf("%s%s %d%%", count++ == 0 ? "" : ", ", model_labels[label],
             (int)(answer->probabilities[label] * 100.0f));
    }
  }
  printf("%s\n", count == 0 ? "none" : "");
}
