/* Decode a kernel of Huffman codes. Written by mobilenet_tf. */
#include "mtf_kernels.h"

/* An entry of a table: a symbol with the number of bits that are its own among those that were
 * fetched last, or the distance to the table for the following bits with their number less one. */
enum { FOUND = 0x8000, COUNT_PLACE = 11, COUNT = 0xF, VALUE = 0x7FF };

void mtf_unpack_huffman(const mtf_unpack_huffman_layer *layer, int8_t *output) {
  const uint8_t *encoded = layer->encoded;
  uint32_t bits = 0; /* the lowest `held` of them are still to be used */
  int held = 0;
  for (int32_t i = 0; i < layer->count; ++i) {
    const uint16_t *entry = layer->tables;
    int width = layer->first;
    for (;;) {
      while (held < width) {
        bits = bits << 8 | *encoded++;
        held += 8;
      }
      entry += bits >> (held - width) & ((UINT32_C(1) << width) - 1);
      if (*entry & FOUND) {
        break;
      }
      held -= width;
      width = (*entry >> COUNT_PLACE & COUNT) + 1;
      entry += *entry & VALUE;
    }
    held -= *entry >> COUNT_PLACE & COUNT;
    output[i] = (int8_t)(uint8_t)*entry;
  }
}
