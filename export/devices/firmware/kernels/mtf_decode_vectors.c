/* Vectors and their similarity. Written by mobilenet_tf. */
#include <math.h>

#include "mtf_decode.h"

void mtf_unit_vector(const int8_t *values, int32_t count, int16_t zero_point, float *vector) {
  int32_t sum = 0; /* of squares of at most 255 */
  for (int32_t index = 0; index < count; ++index) {
    const int32_t value = values[index] - zero_point;
    sum += value * value;
  }
  const float length = sum == 0 ? 1.0f : sqrtf((float)sum);
  for (int32_t index = 0; index < count; ++index) {
    vector[index] = (float)(values[index] - zero_point) / length;
  }
}

float mtf_similarity(const float *first, const float *second, int32_t count) {
  float sum = 0.0f;
  for (int32_t index = 0; index < count; ++index) {
    sum += first[index] * second[index];
  }
  return sum;
}
