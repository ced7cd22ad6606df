/* See model_selftest.h. Written by mobilenet_tf. */
#include "model_selftest.h"

#include <string.h>

#include "model_golden.h"
#include "runner.h"

/* Kernels round differently, so a difference of one integer step is not an error. */
enum { ALLOWED_STEPS = 1 };

int model_selftest(void) {
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    memcpy(runner_input(), model_golden_inputs[picture], MODEL_INPUT_BYTES);
    const int8_t *scores = runner_run();
    if (scores == NULL) {
      return picture + 1;
    }
    for (int index = 0; index < MODEL_CLASSES; ++index) {
      const int steps = scores[index] - model_golden_outputs[picture][index];
      if (steps > ALLOWED_STEPS || steps < -ALLOWED_STEPS) {
        return picture + 1;
      }
    }
  }
  return 0;
}
