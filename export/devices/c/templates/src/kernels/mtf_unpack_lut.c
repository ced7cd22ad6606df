/* Decode a kernel of indices into tables. Written by mobilenet_tf. */
#include "mtf_kernels.h"

void mtf_unpack_lut(const mtf_unpack_lut_layer *layer, int8_t *output) {
  const uint8_t *encoded = layer->encoded;
  const int8_t *const end = output + layer->count;
  const int width = layer->width;
  const uint32_t mask = (UINT32_C(1) << width) - 1;
  uint32_t bits = 0; /* the lowest `held` of them are still to be used */
  int held = 0;
  while (output < end) {
    const int8_t *table = layer->tables;
    for (int channel = 0; channel < layer->channels; ++channel) {
      for (int32_t i = 0; i < layer->run; ++i) {
        if (held < width) {
          bits = bits << 8 | *encoded++;
          held += 8;
        }
        held -= width;
        *output++ = table[bits >> held & mask];
      }
      table += layer->stride;
    }
  }
}
