/* An example that shows what one frame contains. Written by mobilenet_tf; adapt it to your firmware.
 *
 * It works with either form of the network: TensorFlow Lite Micro's, or plain C. */
#include <stdint.h>
#include <stdio.h>

#include "model_answer.h"
#include "model_golden.h"
#include "model_io.h"
#include "model_selftest.h"
#include "show.h"

/* Write this function. It fills `input` with MODEL_INPUT_BYTES values, pixel - 128, row by row and
 * the channels of a pixel side by side: the centre of the frame, cut and scaled as in training (see
 * README.md). It returns 0 on success. */
int camera_frame(int8_t *input);

static int8_t outputs[MODEL_OUTPUT_BYTES];
static model_answer answer;

int main(void) {
  model_selftest_result result;
  if (model_selftest(&result) != 0) {
    printf("self-test: %d of %d pictures ran (error %d), %d have the same answer, largest "
           "difference %d\n",
           result.pictures, MODEL_GOLDEN_COUNT, result.error, result.same_answer, result.worst);
    return 2;
  }
  if (camera_frame(model_input()) != 0) {
    return 3;
  }
  if (model_invoke(model_input(), outputs) != 0) {
    return 4;
  }
  model_decode(outputs, &answer);
  show(&answer);
  return 0;
}
