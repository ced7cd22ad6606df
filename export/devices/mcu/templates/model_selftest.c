/* See model_selftest.h. Written by mobilenet_tf. */
#include "model_selftest.h"

#include <stddef.h>
#include <string.h>

#include "model_golden.h"
#include "model_runner.h"

static const int sizes[MODEL_OUTPUTS] = MODEL_OUTPUT_SIZES;

/* Return the place of the largest value. */
static int largest(const int8_t *scores, int size) {
  int best = 0;
  for (int index = 1; index < size; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  return best;
}

/* Run a golden picture; return whether it ran. */
static int run(int picture) {
  int8_t *const input = model_runner_input();
  if (input == NULL) {
    return 0;
  }
  memcpy(input, model_golden_inputs[picture], MODEL_INPUT_BYTES);
  return model_runner_run() != NULL;
}

/* Return the largest difference of an output. */
static int difference(const int8_t *found, const int8_t *expected, int size) {
  int worst = 0;
  for (int index = 0; index < size; ++index) {
    const int steps = found[index] - expected[index];
    const int distance = steps < 0 ? -steps : steps;
    worst = distance > worst ? distance : worst;
  }
  return worst;
}

int model_selftest(model_selftest_result *result) {
  model_selftest_result found = {0, 0, 0};
  for (; found.pictures < MODEL_GOLDEN_COUNT; ++found.pictures) {
    const int8_t *expected = model_golden_outputs[found.pictures];
    int same = 1;
    if (!run(found.pictures)) {
      break;
    }
    for (int output = 0; output < MODEL_OUTPUTS; ++output) {
      const int8_t *const scores = model_runner_output(output);
      const int worst = difference(scores, expected, sizes[output]);
      found.worst = worst > found.worst ? worst : found.worst;
      same = largest(scores, sizes[output]) == largest(expected, sizes[output]);
      expected += sizes[output];
    }
    found.same_class += same;
  }
  if (result != NULL) {
    *result = found;
  }
  return found.pictures < MODEL_GOLDEN_COUNT || found.worst > MODEL_SELFTEST_STEPS;
}
