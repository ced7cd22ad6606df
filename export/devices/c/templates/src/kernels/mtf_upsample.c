/* Bilinear enlargement by two with half-pixel centres. Written by mobilenet_tf. */
#include "mtf_kernels.h"

/* The input's pixel beside the one that output pixel `place` lies in; edges repeat. */
static int32_t beside(int32_t place, int32_t side) {
  const int32_t other = place / 2 + (place % 2 ? 1 : -1);
  return other < 0 ? 0 : other < side ? other : side - 1;
}

void mtf_upsample(const mtf_upsample_layer *layer, const int8_t *input, int8_t *output) {
  const int32_t row = (int32_t)layer->in_width * layer->channels;
  for (int32_t y = 0; y < 2 * layer->in_height; ++y) {
    const int8_t *const near = input + y / 2 * row;
    const int8_t *const far = input + beside(y, layer->in_height) * row;
    for (int32_t x = 0; x < 2 * layer->in_width; ++x) {
      const int32_t own = x / 2 * layer->channels;
      const int32_t other = beside(x, layer->in_width) * layer->channels;
      for (int32_t channel = 0; channel < layer->channels; ++channel) {
        const int32_t sum = 9 * near[own + channel] + 3 * near[other + channel] +
                            3 * far[own + channel] + far[other + channel];
        *output++ = (int8_t)((sum > 0 ? sum + 8 : sum - 8) / 16);
      }
    }
  }
}
