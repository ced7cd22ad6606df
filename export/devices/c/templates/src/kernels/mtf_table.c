/* Functions of one value. Written by mobilenet_tf. */
#include "mtf_kernels.h"

void mtf_table(const mtf_table_layer *layer, const int8_t *input, int8_t *output) {
  for (int32_t i = 0; i < layer->count; ++i) {
    output[i] = layer->table[input[i] + 128];
  }
}
