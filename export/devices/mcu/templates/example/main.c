/* An example that classifies one frame. Written by mobilenet_tf; adapt it to your firmware. */
#include <stdint.h>
#include <stdio.h>

#include "model.h"
#include "model_golden.h"
#include "model_runner.h"
#include "model_selftest.h"

/* Write this function. It fills `input` with MODEL_INPUT_BYTES values, pixel - 128, row by row and
 * the channels of a pixel side by side: the centre of the frame, cut and scaled as in training (see
 * README.md). It returns 0 on success. */
int camera_frame(int8_t *input);

int main(void) {
  model_selftest_result result;
  const model_runner_error error = model_runner_begin();
  if (error != MODEL_RUNNER_OK) {
    printf("model_runner_begin: error %d\n", (int)error);
    return 1;
  }
  if (model_selftest(&result) != 0) {
    printf("self-test: %d of %d pictures ran, %d have the same class, largest difference %d\n",
           result.pictures, MODEL_GOLDEN_COUNT, result.same_class, result.worst);
    return 2;
  }
  if (camera_frame(model_runner_input()) != 0) {
    return 3;
  }
  if (model_runner_run() == NULL) {
    return 4;
  }
#if MODEL_OUTPUTS == 1 && MODEL_OUTPUT_BYTES == MODEL_CLASSES
  const int8_t *scores = model_runner_output(0);
  int best = 0;
  for (int index = 1; index < MODEL_CLASSES; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  const float score = (float)(scores[best] - MODEL_OUTPUT_ZERO_POINT) * MODEL_OUTPUT_SCALE;
  printf("%s %d%%\n", model_labels[best], (int)(score * 100.0f));
#else
  const int sizes[MODEL_OUTPUTS] = MODEL_OUTPUT_SIZES;
  for (int output = 0; output < MODEL_OUTPUTS; ++output) {
    printf("output %d has %d values, the first is %d\n", output, sizes[output],
           model_runner_output(output)[0]);
  }
#endif
  return 0;
}
