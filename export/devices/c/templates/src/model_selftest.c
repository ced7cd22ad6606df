/* See model_selftest.h. Written by mobilenet_tf. */
#include "model_selftest.h"

#include <stddef.h>

#include "model_golden.h"

static const int sizes[MODEL_OUTPUTS] = MODEL_OUTPUT_SIZES;

/* Return the place of the last output's largest value. */
static int first_class(const int8_t *outputs) {
  const int size = sizes[MODEL_OUTPUTS - 1];
  const int8_t *const scores = outputs + MODEL_OUTPUT_BYTES - size;
  int best = 0;
  for (int index = 1; index < size; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  return best;
}

/* Return the largest difference of a score. */
static int difference(const int8_t *found, const int8_t *expected) {
  int worst = 0;
  for (int index = 0; index < MODEL_OUTPUT_BYTES; ++index) {
    const int steps = found[index] - expected[index];
    const int distance = steps < 0 ? -steps : steps;
    worst = distance > worst ? distance : worst;
  }
  return worst;
}

int model_selftest(model_selftest_result *result) {
  model_selftest_result found = {0, 0, 0, 0, 0};
  for (; found.pictures < MODEL_GOLDEN_COUNT; ++found.pictures) {
    static int8_t scores[MODEL_OUTPUT_BYTES]; /* too large for many stacks */
    const int8_t *const expected = model_golden_outputs[found.pictures];
    found.error = model_invoke(model_golden_inputs[found.pictures], scores);
    if (found.error != 0) {
      break;
    }
    const int worst = difference(scores, expected);
    found.different += worst != 0;
    found.worst = worst > found.worst ? worst : found.worst;
    found.same_class += first_class(scores) == first_class(expected);
  }
  if (result != NULL) {
    *result = found;
  }
  return found.error != 0 || found.different != 0;
}
