/* A network that knows the golden pictures by heart, ERROR_STEPS off; for others, the last class. */
#include <string.h>

#include "model_golden.h"

static int8_t input[MODEL_INPUT_BYTES];

int camera_frame(int8_t *pixels);
int camera_frame(int8_t *pixels) {
  memset(pixels, 200 - 128, MODEL_INPUT_BYTES);
  return 0;
}

int8_t *model_input(void) { return input; }

int model_invoke(const int8_t *image, int8_t *scores) {
  if (ERROR_STEPS > 9) {
    return 5;
  }
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    if (memcmp(image, model_golden_inputs[picture], sizeof(input)) == 0) {
      memcpy(scores, model_golden_outputs[picture], MODEL_OUTPUT_BYTES);
      scores[0] = (int8_t)(scores[0] + (scores[0] > 0 ? -ERROR_STEPS : ERROR_STEPS));
      return 0;
    }
  }
  memset(scores, -128, MODEL_OUTPUT_BYTES);
  if (image[0] == 200 - 128) {
    scores[MODEL_CLASSES - 1] = -127;
  }
  return 0;
}
