/* Decode a kernel of indices into tables. Written by mobilenet_tf. */
#include "mtf_kernels.h"

enum { BITS = 32, GROUP = 8 }; /* of `bits`; indices that fill whole bytes */

/* The loop is unrolled by hand, whatever the compiler's options are. */
#define NEXT(i)                        \
  do {                                 \
    output[i] = table[bits >> unused]; \
    bits <<= width;                    \
  } while (0)

void mtf_unpack_lut(const mtf_unpack_lut_layer *layer, int8_t *output) {
  const uint8_t *encoded = layer->encoded;
  const int8_t *const end = output + layer->count;
  const int width = layer->width, unused = BITS - width;
  uint32_t bits = 0; /* the highest `held` of them are the next ones, the others are 0 */
  int held = 0;
  while (output < end) {
    const int8_t *table = layer->tables;
    for (int channel = 0; channel < layer->channels; ++channel) {
      int32_t count = layer->run;
      for (; held == 0 && width * GROUP <= BITS && count >= GROUP; count -= GROUP) {
        for (int place = BITS - 8; place >= BITS - width * GROUP; place -= 8) {
          bits |= (uint32_t)*encoded++ << place;
        }
        NEXT(0);
        NEXT(1);
        NEXT(2);
        NEXT(3);
        NEXT(4);
        NEXT(5);
        NEXT(6);
        NEXT(7);
        output += GROUP;
      }
      for (; count > 0; --count) {
        if (held < width) {
          bits |= (uint32_t)*encoded++ << (BITS - 8 - held);
          held += 8;
        }
        NEXT(0);
        ++output;
        held -= width;
      }
      table += layer->stride;
    }
  }
}
