/* A runner that knows the golden pictures by heart, ERROR_STEPS off; for others, the last class. */
#include <string.h>

#include "model_golden.h"
#include "model_runner.h"

static int8_t input[MODEL_INPUT_BYTES];
static int8_t scores[MODEL_OUTPUT_BYTES];

int camera_frame(int8_t *pixels);
int camera_frame(int8_t *pixels) {
  memset(pixels, 200 - 128, MODEL_INPUT_BYTES);
  return 0;
}

model_runner_error model_runner_begin(void) { return MODEL_RUNNER_OK; }

int8_t *model_runner_input(void) { return input; }

const int8_t *model_runner_run(void) {
  if (ERROR_STEPS > 9) {
    return NULL;
  }
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    if (memcmp(input, model_golden_inputs[picture], sizeof(input)) == 0) {
      memcpy(scores, model_golden_outputs[picture], sizeof(scores));
      scores[0] = (int8_t)(scores[0] + (scores[0] > 0 ? -ERROR_STEPS : ERROR_STEPS));
      return scores;
    }
  }
  memset(scores, -128, sizeof(scores));
  if (input[0] == 200 - 128) {
    scores[MODEL_CLASSES - 1] = -127;
  }
  return scores;
}

const int8_t *model_runner_output(int index) { return index == 0 ? scores : NULL; }

size_t model_runner_arena_used(void) { return MODEL_ARENA_BYTES; }
