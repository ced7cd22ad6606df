/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include "kernels/mtf_decode.h"

void model_decode(const int8_t *outputs, model_answer *answer) {
  mtf_unit_vector(outputs, MODEL_DIMENSION, $zero_point, answer->vector);
}

float model_similarity(const model_answer *one, const model_answer *other) {
  return mtf_similarity(one->vector, other->vector, MODEL_DIMENSION);
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  for (int index = 0; index < MODEL_DIMENSION; ++index) {
    if (!mtf_near(one->vector[index], other->vector[index], tolerance)) {
      return 0;
    }
  }
  return 1;
}
