/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include "kernels/mtf_decode.h"

const model_cell model_cells[$values] = {
$cells
};

void model_decode(const int8_t *outputs, model_answer *answer) {
  mtf_largest(outputs, $values, MODEL_TOP, answer->cells);
  for (int rank = 0; rank < MODEL_TOP; ++rank) {
    answer->scores[rank] = mtf_real(outputs[answer->cells[rank]], $zero_point, $scale);
  }
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  for (int rank = 0; rank < MODEL_TOP; ++rank) {
    if (one->cells[rank] != other->cells[rank] ||
        !mtf_near(one->scores[rank], other->scores[rank], tolerance)) {
      return 0;
    }
  }
  return 1;
}
