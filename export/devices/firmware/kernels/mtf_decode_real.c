/* Real values of integers. Written by mobilenet_tf. */
#include "mtf_decode.h"

float mtf_real(int8_t value, int16_t zero_point, float scale) {
  return (float)(value - zero_point) * scale;
}

int mtf_near(float first, float second, float tolerance) {
  const float difference = first - second;
  return difference <= tolerance && -difference <= tolerance;
}
