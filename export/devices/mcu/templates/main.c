/* An example that classifies one frame. Written by mobilenet_tf; adapt it to your firmware. */
#include <stdint.h>
#include <stdio.h>

#include "model.h"
#include "model_selftest.h"
#include "runner.h"

/* Write this function. It fills `pixels` with MODEL_INPUT_BYTES values from 0 to 255, row by
 * row$colour_order: the centre square of the frame, scaled to MODEL_WIDTH x MODEL_HEIGHT, as in
 * training$crop_note. It returns 0 on success. */
int camera_frame(uint8_t *pixels);

static uint8_t frame[MODEL_INPUT_BYTES];

int main(void) {
  const int error = runner_begin();
  if (error != 0) {
    printf("runner_begin: %d\n", error);
    return 1;
  }
  const int failed = model_selftest();
  if (failed != 0) {
    printf("self-test: picture %d differs\n", failed);
    return 2;
  }
  if (camera_frame(frame) != 0) {
    return 3;
  }
  int8_t *input = runner_input();
  for (int index = 0; index < MODEL_INPUT_BYTES; ++index) {
    input[index] = (int8_t)(frame[index] - 128);
  }
  const int8_t *scores = runner_run();
  if (scores == NULL) {
    return 4;
  }
  int best = 0;
  for (int index = 1; index < MODEL_CLASSES; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  const float score = (float)(scores[best] - MODEL_OUTPUT_ZERO_POINT) * MODEL_OUTPUT_SCALE;
  printf("%s %d%%\n", model_labels[best], (int)(score * 100.0f));
  return 0;
}
