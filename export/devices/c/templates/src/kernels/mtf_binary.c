/* Sums and products of two tensors. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

enum { HEADROOM = 20 }; /* bits by which sums are more precise than their terms */

static int32_t term(const mtf_operand *operand, int32_t value) {
  const int32_t centred = mtf_shifted(value - operand->zero_point, HEADROOM);
  return mtf_rescale(centred, operand->multiplier, operand->shift);
}

static int8_t finished(const mtf_binary_layer *layer, int32_t value) {
  const int32_t scaled = mtf_rescale(value, layer->multiplier, layer->shift);
  return (int8_t)mtf_clamped(scaled + layer->zero_point, layer->low, layer->high);
}

void mtf_add(const mtf_binary_layer *layer, const int8_t *first, const int8_t *second,
             int8_t *output) {
  const mtf_operand *const a = &layer->first, *const b = &layer->second;
  for (int32_t row = 0; row < layer->rows; ++row) {
    for (int32_t column = 0; column < layer->columns; ++column) {
      *output++ = finished(layer, term(a, first[column * a->column_step]) +
                                      term(b, second[column * b->column_step]));
    }
    first += a->row_step;
    second += b->row_step;
  }
}

void mtf_multiply(const mtf_binary_layer *layer, const int8_t *first, const int8_t *second,
                  int8_t *output) {
  const mtf_operand *const a = &layer->first, *const b = &layer->second;
  for (int32_t row = 0; row < layer->rows; ++row) {
    for (int32_t column = 0; column < layer->columns; ++column) {
      *output++ = finished(layer, (first[column * a->column_step] - a->zero_point) *
                                      (second[column * b->column_step] - b->zero_point));
    }
    first += a->row_step;
    second += b->row_step;
  }
}
