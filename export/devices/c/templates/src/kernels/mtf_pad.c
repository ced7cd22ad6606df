/* Padding of height and width. Written by mobilenet_tf. */
#include <string.h>

#include "mtf_kernels.h"

void mtf_pad(const mtf_pad_layer *layer, const int8_t *input, int8_t *output) {
  const size_t before = (size_t)layer->left * (size_t)layer->channels;
  const size_t inside = (size_t)layer->in_width * (size_t)layer->channels;
  const size_t after = (size_t)layer->right * (size_t)layer->channels;
  const size_t whole = before + inside + after;
  memset(output, layer->zero_point, (size_t)layer->top * whole);
  output += (size_t)layer->top * whole;
  for (int row = 0; row < layer->in_height; ++row) {
    memset(output, layer->zero_point, before);
    memcpy(output + before, input, inside);
    memset(output + before + inside, layer->zero_point, after);
    input += inside;
    output += whole;
  }
  memset(output, layer->zero_point, (size_t)layer->bottom * whole);
}
