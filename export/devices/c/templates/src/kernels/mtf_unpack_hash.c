/* Decode a kernel of hashed weights. Written by mobilenet_tf. */
#include "mtf_kernels.h"

enum { SIGN_PLACE = 31 };

void mtf_unpack_hash(const mtf_unpack_hash_layer *layer, int8_t *output) {
  const int8_t *const table = (const int8_t *)layer->encoded;
  for (int32_t i = 0; i < layer->count; ++i) {
    /* The number of the weight in its kernel, mixed. */
    uint32_t bits = (uint32_t)(layer->start + i) * UINT32_C(0x9E3779B1);
    bits = (bits ^ bits >> 15) * UINT32_C(0x85EBCA77);
    bits = (bits ^ bits >> 13) * UINT32_C(0xC2B2AE3D);
    bits ^= bits >> 16;
    const int value = table[(uint64_t)(bits << 1) * (uint32_t)layer->size >> 32];
    output[i] = (int8_t)(bits >> SIGN_PLACE ? -value : value);
  }
}
