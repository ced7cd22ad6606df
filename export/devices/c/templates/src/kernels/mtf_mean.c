/* The mean of each channel. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

void mtf_mean(const mtf_mean_layer *layer, const int8_t *input, int8_t *output) {
  for (int channel = 0; channel < layer->channels; ++channel) {
    const int8_t *value = input + channel;
    int32_t sum = -layer->offset;
    for (int32_t pixel = 0; pixel < layer->pixels; ++pixel) {
      sum += *value;
      value += layer->channels;
    }
    const int32_t mean = mtf_rescale(sum, layer->multiplier, layer->shift) + layer->zero_point;
    output[channel] = (int8_t)mtf_clamped(mean, INT8_MIN, INT8_MAX);
  }
}
