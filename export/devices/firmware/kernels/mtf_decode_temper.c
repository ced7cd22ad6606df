/* Probabilities at another temperature. Written by mobilenet_tf. */
#include <math.h>

#include "mtf_decode.h"

void mtf_temper(const int8_t *values, int32_t count, int16_t zero_point, float scale,
                float temperature, const int16_t *indices, int16_t top, float *probabilities) {
  const float largest = mtf_real(values[indices[0]], zero_point, scale);
  float sum = 1.0f;
  int tempers = temperature != 1.0f && largest > 0.0f;
  if (tempers) {
    sum = 0.0f;
    for (int32_t i = 0; i < count; ++i) {
      const float p = mtf_real(values[i], zero_point, scale);
      sum += p > 0.0f ? powf(p / largest, 1.0f / temperature) : 0.0f;
    }
  }
  for (int16_t rank = 0; rank < top; ++rank) {
    const float p = mtf_real(values[indices[rank]], zero_point, scale);
    if (!tempers) {
      probabilities[rank] = p;
    } else {
      probabilities[rank] = p > 0.0f ? powf(p / largest, 1.0f / temperature) / sum : 0.0f;
    }
  }
}
