/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include "kernels/mtf_decode.h"

void model_decode(const int8_t *outputs, model_answer *answer) {
  mtf_largest(outputs, $values, MODEL_TOP, answer->labels);
  mtf_temper(outputs, $values, $zero_point, $scale, $temperature, answer->labels, MODEL_TOP,
             answer->scores);
  answer->accepted = answer->scores[0] >= MODEL_THRESHOLD;
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  for (int rank = 0; rank < MODEL_TOP; ++rank) {
    if (one->labels[rank] != other->labels[rank] ||
        !mtf_near(one->scores[rank], other->scores[rank], tolerance)) {
      return 0;
    }
  }
  return one->accepted == other->accepted;
}
