/* Softmax in fixed point, as gemmlowp computes it. Written by mobilenet_tf.
 *
 * A comment such as Q5.26 is a format: 5 bits of integer, 26 of fraction, and the sign.
 */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

enum { EXPONENT_BITS = 26, SUM_BITS = 12 };

/* Return exp(x) in Q0.31 for x in Q0.31 between -1/4 and 0: Taylor's series around -1/8. */
static int32_t exp_of_small(int32_t value) {
  const int32_t at_eighth = 1895147668; /* exp(-1/8) */
  const int32_t third = 715827883;
  const int32_t x = value + (1 << 28);
  const int32_t x2 = mtf_high_product(x, x);
  const int32_t x3 = mtf_high_product(x2, x);
  const int32_t x4 = mtf_high_product(x2, x2);
  const int32_t rest = mtf_high_product(mtf_rounded_shift(x4, 2) + x3, third) + x2;
  return at_eighth + mtf_high_product(at_eighth, x + mtf_rounded_shift(rest, 1));
}

/* Return exp(x) in Q0.31 for x <= 0 in Q5.26. */
static int32_t exp_of_negative(int32_t x) {
  /* exp(-2^e) in Q0.31 for e from -2 to 4 */
  static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308,
                                   39332535,   720401,     242};
  const int32_t quarter = 1 << (EXPONENT_BITS - 2);
  const int32_t part = (x & (quarter - 1)) - quarter;
  const int32_t rest = part - x; /* a multiple of 1/4 */
  int32_t result = exp_of_small(mtf_shifted(part, 31 - EXPONENT_BITS));
  if (x == 0) {
    return INT32_MAX;
  }
  for (int i = 0; i < 7; ++i) {
    if (rest & mtf_shifted(quarter, i)) {
      result = mtf_high_product(result, powers[i]);
    }
  }
  return result;
}

static int32_t saturating_shift(int32_t value, int exponent) {
  const int32_t limit = INT32_MAX >> exponent;
  if (value > limit) {
    return INT32_MAX;
  }
  return value < -limit - 1 ? INT32_MIN : mtf_shifted(value, exponent);
}

/* Return 1 / (1 + x) in Q0.31 for x in Q0.31 from 0 to 1: Newton's iteration. */
static int32_t reciprocal(int32_t x) {
  const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  int32_t found = 1515870810 + mtf_high_product(half, -1010580540); /* 48/17 - 32/17 x, in Q2.29 */
  for (int i = 0; i < 3; ++i) {
    const int32_t error = (1 << 29) - mtf_high_product(half, found);
    found += saturating_shift(mtf_high_product(found, error), 2);
  }
  return saturating_shift(found, 1);
}

static int leading_zeros(uint32_t value) {
  int zeros = 0;
  while (!(value & UINT32_C(0x80000000))) {
    value <<= 1;
    ++zeros;
  }
  return zeros;
}

/* Return exp(x) of the difference between a value and the largest one, in Q0.31. */
static int32_t share(const mtf_softmax_layer *layer, int32_t difference) {
  return exp_of_negative(
      mtf_high_product(mtf_shifted(difference, layer->shift), layer->multiplier));
}

void mtf_softmax(const mtf_softmax_layer *layer, const int8_t *input, int8_t *output) {
  for (int32_t row = 0; row < layer->rows; ++row) {
    int32_t most = INT8_MIN;
    int32_t sum = 0; /* Q12.19 */
    for (int32_t i = 0; i < layer->classes; ++i) {
      most = input[i] > most ? input[i] : most;
    }
    for (int32_t i = 0; i < layer->classes; ++i) {
      if (input[i] - most >= layer->least) {
        sum += mtf_rounded_shift(share(layer, input[i] - most), SUM_BITS);
      }
    }
    const int zeros = leading_zeros((uint32_t)sum);
    const int32_t scale = reciprocal((int32_t)(((uint32_t)sum << zeros) - UINT32_C(0x80000000)));
    for (int32_t i = 0; i < layer->classes; ++i) {
      int32_t score = INT8_MIN;
      if (input[i] - most >= layer->least) {
        const int32_t part = mtf_high_product(scale, share(layer, input[i] - most));
        const int exponent = SUM_BITS - zeros + 31 - 8;
        score += exponent > 31 ? 0 : mtf_rounded_shift(part, exponent);
      }
      output[i] = (int8_t)mtf_clamped(score, INT8_MIN, INT8_MAX);
    }
    input += layer->classes;
    output += layer->classes;
  }
}
