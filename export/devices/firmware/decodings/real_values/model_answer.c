/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

#include "kernels/mtf_decode.h"

enum { VALUES = $count };

typedef struct {
  int32_t values; /* their number */
  int16_t zero_point;
  float scale;
} tensor;

static const tensor tensors[] = {
$tensors
};

void model_decode(const int8_t *outputs, model_answer *answer) {
  const tensor *of = tensors;
  for (int32_t index = 0, end = of->values; index < VALUES; ++index) {
    if (index == end) {
      end += (++of)->values;
    }
    answer->values[index] = mtf_real(outputs[index], of->zero_point, of->scale);
  }
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  for (int index = 0; index < VALUES; ++index) {
    if (!mtf_near(one->values[index], other->values[index], tolerance)) {
      return 0;
    }
  }
  return 1;
}
