/* The fixed-point arithmetic of TensorFlow Lite's kernels (gemmlowp), written by mobilenet_tf. */
#ifndef MTF_FIXED_POINT_H_
#define MTF_FIXED_POINT_H_

#include <stdint.h>

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

/* Return value * multiplier * 2^(shift - 31); the multiplier is positive. */
static inline int32_t mtf_rescale(int32_t value, int32_t multiplier, int shift) {
  if (shift > 0) {
    value = mtf_shifted(value, shift);
    shift = 0;
  }
  const int32_t high = (int32_t)(((int64_t)value * multiplier + (1 << 30)) >> 31);
  return mtf_rounded_shift(high, -shift);
}

static inline int32_t mtf_clamped(int32_t value, int32_t low, int32_t high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

#endif /* MTF_FIXED_POINT_H_ */
