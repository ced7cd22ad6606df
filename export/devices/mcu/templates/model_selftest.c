/* See model_selftest.h. Written by mobilenet_tf. */
#include "model_selftest.h"

#include <stddef.h>
#include <string.h>

#include "model_golden.h"
#include "model_runner.h"

static int first_class(const int8_t *scores) {
  int best = 0;
  for (int index = 1; index < MODEL_CLASSES; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  return best;
}

/* Return the scores of a golden picture, or NULL if it did not run. */
static const int8_t *run(int picture) {
  int8_t *const input = model_runner_input();
  if (input == NULL) {
    return NULL;
  }
  memcpy(input, model_golden_inputs[picture], MODEL_INPUT_BYTES);
  return model_runner_run();
}

int model_selftest(model_selftest_result *result) {
  model_selftest_result found = {0, 0, 0};
  for (; found.pictures < MODEL_GOLDEN_COUNT; ++found.pictures) {
    const int8_t *const expected = model_golden_outputs[found.pictures];
    const int8_t *const scores = run(found.pictures);
    if (scores == NULL) {
      break;
    }
    for (int index = 0; index < MODEL_CLASSES; ++index) {
      const int steps = scores[index] - expected[index];
      const int distance = steps < 0 ? -steps : steps;
      found.worst = distance > found.worst ? distance : found.worst;
    }
    found.same_class += first_class(scores) == first_class(expected);
  }
  if (result != NULL) {
    *result = found;
  }
  return found.pictures < MODEL_GOLDEN_COUNT || found.worst > MODEL_SELFTEST_STEPS;
}
