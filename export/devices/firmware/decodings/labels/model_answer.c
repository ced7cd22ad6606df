/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include "kernels/mtf_decode.h"

enum { LABELS = $values };

/* The smallest integer with which a label is predicted; 128 for none. */
static const int16_t least[LABELS] = {
$least
};

void model_decode(const int8_t *outputs, model_answer *answer) {
  for (int label = 0; label < LABELS; ++label) {
    answer->predicted[label] = outputs[label] >= least[label];
    answer->probabilities[label] = mtf_sigmoid(mtf_real(outputs[label], $zero_point, $scale));
  }
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  for (int label = 0; label < LABELS; ++label) {
    if (one->predicted[label] != other->predicted[label] ||
        !mtf_near(one->probabilities[label], other->probabilities[label], tolerance)) {
      return 0;
    }
  }
  return 1;
}
