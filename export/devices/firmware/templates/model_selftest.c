/* See model_selftest.h. Written by mobilenet_tf. */
#include "model_selftest.h"

#include <stddef.h>

#include "model_golden.h"

/* These are too large for many stacks. */
static int8_t outputs[MODEL_OUTPUT_BYTES];
static model_answer answer;

/* Return the largest difference of an output. */
static int difference(const int8_t *expected) {
  int worst = 0;
  for (int index = 0; index < MODEL_OUTPUT_BYTES; ++index) {
    const int steps = outputs[index] - expected[index];
    const int distance = steps < 0 ? -steps : steps;
    worst = distance > worst ? distance : worst;
  }
  return worst;
}

int model_selftest(model_selftest_result *result) {
  model_selftest_result found = {0, 0, 0, 0, 0, 0};
  for (; found.pictures < MODEL_GOLDEN_COUNT; ++found.pictures) {
    found.error = model_invoke(model_golden_inputs[found.pictures], outputs);
    if (found.error != 0) {
      break;
    }
    const int worst = difference(model_golden_outputs[found.pictures]);
    model_decode(outputs, &answer);
    const int same = model_same_answer(&answer, &model_golden_answers[found.pictures],
                                       MODEL_SELFTEST_TOLERANCE);
    found.different += worst > MODEL_SELFTEST_STEPS;
    found.worst = worst > found.worst ? worst : found.worst;
    found.same_answer += same;
    found.misread += worst == 0 && !same;
  }
  if (result != NULL) {
    *result = found;
  }
  return found.error != 0 || found.different != 0 || found.misread != 0;
}
