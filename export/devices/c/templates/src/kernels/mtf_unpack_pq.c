/* Decode a kernel of indices into a codebook. Written by mobilenet_tf. */
#include "mtf_kernels.h"

/* Two weights; vectors have 2, 4 or 8 of them. */
#define COPY(i)                   \
  do {                            \
    output[i] = vector[i];        \
    output[i + 1] = vector[i + 1]; \
  } while (0)

void mtf_unpack_pq(const mtf_unpack_pq_layer *layer, int8_t *output) {
  const uint8_t *encoded = layer->encoded;
  const int8_t *const end = output + layer->count;
  const int width = layer->width, length = layer->length;
  const unsigned mask = (1u << width) - 1;
  unsigned bits = 0; /* the lowest `held` of them are still to be used */
  int held = 0;
  while (output < end) {
    const int8_t *vector;
    if (held < width) {
      bits = bits << 8 | *encoded++;
      held += 8;
    }
    held -= width;
    vector = layer->codebook + (bits >> held & mask) * (unsigned)length;
    COPY(0);
    if (length > 2) {
      COPY(2);
      if (length > 4) {
        COPY(4);
        COPY(6);
      }
    }
    output += length;
  }
}
