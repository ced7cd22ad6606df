/* Copies of rows. Written by mobilenet_tf. */
#include <string.h>

#include "mtf_kernels.h"

void mtf_copy(const mtf_copy_layer *layer, const int8_t *input, int8_t *output) {
  for (int32_t row = 0; row < layer->rows; ++row) {
    memcpy(output, input, (size_t)layer->bytes);
    input += layer->bytes;
    output += layer->out_step;
  }
}
