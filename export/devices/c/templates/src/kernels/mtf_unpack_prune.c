/* Decode a kernel that has its zeros in a mask. Written by mobilenet_tf. */
#include "mtf_kernels.h"

void mtf_unpack_prune(const mtf_unpack_prune_layer *layer, int8_t *output) {
  const int8_t *value = layer->values;
  unsigned bits = 0;
  for (int32_t i = 0; i < layer->count; ++i) {
    bits = i & 7 ? bits << 1 : layer->encoded[i >> 3];
    output[i] = bits & 0x80 ? *value++ : 0;
  }
}
