/* Prints an answer. Written by mobilenet_tf. */
#include "show.h"

#include <stdio.h>

#include "model_io.h"

void show(const model_answer *answer) {
  printf("%d boxes\n", answer->count);
  for (int index = 0; index < answer->count; ++index) {
    const mtf_box *const box = &answer->boxes[index];
    printf("  %s %d%% from (%d, %d) to (%d, %d)\n", model_labels[box->label],
           (int)(box->score * 100.0f), (int)(box->left * MODEL_WIDTH),
           (int)(box->top * MODEL_HEIGHT), (int)(box->right * MODEL_WIDTH),
           (int)(box->bottom * MODEL_HEIGHT));
  }
}
