/* A firmware that runs its golden pictures. Written by mobilenet_tf; adapt it to your board.
 *
 * It returns 0 only if all outputs, and what they mean, are what mobilenet_tf verified. */
#include <stdio.h>

#include "cycles.h"
#include "model.h"
#include "model_answer.h"
#include "model_golden.h"
#include "model_selftest.h"
#include "show.h"
#include "stack.h"

enum { SHOWN = 10 }; /* outputs that are printed */

static int run(int picture) {
  static int8_t scores[MODEL_OUTPUT_BYTES];
  static model_answer answer;
  stack_paint();
  cycles_start();
  const int error = model_invoke(model_golden_inputs[picture], scores);
  const unsigned long cycles = cycles_stop();
  const unsigned long stack = stack_used();
  if (error != 0) {
    printf("picture %d: error %d\n", picture + 1, error);
    return error;
  }
  printf("picture %d: %lu cycles, stack %lu bytes; outputs", picture + 1, cycles, stack);
  for (int index = 0; index < MODEL_OUTPUT_BYTES && index < SHOWN; ++index) {
    printf(" %d", scores[index]);
  }
  printf("\n");
  model_decode(scores, &answer);
  show(&answer);
  return 0;
}

int main(void) {
  model_selftest_result result;
  printf("arena %d bytes\n", MODEL_ARENA_BYTES);
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    if (run(picture) != 0) {
      return 2;
    }
  }
  const int failed = model_selftest(&result);
  printf("%d of %d pictures have the verified scores, %d the verified answer; largest difference %d\n",
         result.pictures - result.different, MODEL_GOLDEN_COUNT, result.same_answer, result.worst);
  return failed;
}
