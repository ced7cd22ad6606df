/* A firmware that classifies its golden pictures. Written by mobilenet_tf; adapt it to your board.
 *
 * It returns 0 only if all scores are those that mobilenet_tf verified. */
#include <stdio.h>

#include "cycles.h"
#include "model.h"
#include "model_golden.h"
#include "model_selftest.h"
#include "stack.h"

enum { SHOWN = 10 }; /* scores that are printed */

/* Return the name of the first class; nothing if the outputs are no scores of classes. */
static const char *name_of(const int8_t *scores) {
#if MODEL_OUTPUTS == 1 && MODEL_OUTPUT_BYTES == MODEL_CLASSES
  int best = 0;
  for (int index = 1; index < MODEL_CLASSES; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  return model_labels[best];
#else
  (void)scores;
  return "";
#endif
}

static int classify(int picture) {
  static int8_t scores[MODEL_OUTPUT_BYTES];
  stack_paint();
  cycles_start();
  const int error = model_invoke(model_golden_inputs[picture], scores);
  const unsigned long cycles = cycles_stop();
  const unsigned long stack = stack_used();
  if (error != 0) {
    printf("picture %d: error %d\n", picture + 1, error);
    return error;
  }
  printf("picture %d: %lu cycles, stack %lu bytes, %s; scores", picture + 1, cycles, stack,
         name_of(scores));
  for (int index = 0; index < MODEL_OUTPUT_BYTES && index < SHOWN; ++index) {
    printf(" %d", scores[index]);
  }
  printf("\n");
  return 0;
}

int main(void) {
  model_selftest_result result;
  printf("arena %d bytes\n", MODEL_ARENA_BYTES);
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    if (classify(picture) != 0) {
      return 2;
    }
  }
  const int failed = model_selftest(&result);
  printf("%d of %d pictures have the verified scores; largest difference %d\n",
         result.pictures - result.different, MODEL_GOLDEN_COUNT, result.worst);
  return failed;
}
