/* The fixed-point arithmetic of TensorFlow Lite's kernels (gemmlowp), written by mobilenet_tf. */
#ifndef MTF_FIXED_POINT_H_
#define MTF_FIXED_POINT_H_

#include "mtf_kernels.h"

/* Shifts of negative numbers are left to the compiler by C99; all that are in use keep the sign. */
typedef char mtf_shift_keeps_the_sign[(-1 >> 1) == -1 ? 1 : -1];

/* Return the high half of 2 * left * right, rounded to nearest, halves up. */
static inline int32_t mtf_high_product(int32_t left, int32_t right) {
  if (left == INT32_MIN && right == INT32_MIN) {
    return INT32_MAX;
  }
  return (int32_t)(((int64_t)left * right + (1 << 30)) >> 31);
}

/* Return value / 2^exponent, rounded to nearest, halves away from zero. */
static inline int32_t mtf_rounded_shift(int32_t value, int exponent) {
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1);
  const int32_t threshold = (mask >> 1) + (value < 0);
  return (value >> exponent) + ((value & mask) > threshold);
}

/* Return value * 2^exponent; what does not fit is lost. */
static inline int32_t mtf_shifted(int32_t value, int exponent) {
  return (int32_t)((uint32_t)value << exponent);
}

/* Return value * multiplier * 2^(shift - 31), rounded twice; the multiplier is positive. */
static inline int32_t mtf_rescale(int32_t value, int32_t multiplier, int shift) {
  if (shift >= 0) {
    return (int32_t)(((int64_t)mtf_shifted(value, shift) * multiplier + (1 << 30)) >> 31);
  }
  const int32_t high = (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
  const uint32_t half = UINT32_C(1) << (-shift - 1);
  /* As mtf_rounded_shift: one less before halves of negative numbers are rounded up. */
  return (int32_t)((uint32_t)high + half - (high < 0)) >> -shift;
}

static inline int32_t mtf_clamped(int32_t value, int32_t low, int32_t high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

/* Return the int8 value for a sum of products. */
static inline int8_t mtf_rescaled(const mtf_rescaling *output, int32_t sum, int channel) {
  const int32_t value = mtf_rescale(sum, output->multipliers[channel], output->shifts[channel]);
  return (int8_t)mtf_clamped(value + output->zero_point, output->low, output->high);
}

#endif /* MTF_FIXED_POINT_H_ */
