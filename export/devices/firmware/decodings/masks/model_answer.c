/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include <string.h>

#include "kernels/mtf_decode.h"

void model_decode_row(const int8_t *outputs, int row, uint8_t *classes) {
  static const mtf_grid grid = {
    .height = $grid_height,
    .width = $grid_width,
    .classes = $classes,
    .factor_y = $factor_y,
    .factor_x = $factor_x
  };
  mtf_mask_row(&grid, outputs, row, classes);
}

void model_decode(const int8_t *outputs, model_answer *answer) {
  for (int row = 0; row < MODEL_MASK_HEIGHT; ++row) {
    model_decode_row(outputs, row, answer->mask[row]);
  }
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  (void)tolerance;
  return memcmp(one->mask, other->mask, sizeof one->mask) == 0;
}
