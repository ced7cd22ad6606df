/* Convolutions with a 1x1 kernel in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

#ifndef MTF_CMSIS_NN

/* Add the products of two pixels with the weights of two output channels. */
static void add_products(const int8_t *first, const int8_t *second, const int8_t *weights,
                         const int8_t *more_weights, int count, int32_t sums[4]) {
  int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (; count >= 4; count -= 4) {
    for (int i = 0; i < 4; ++i) {
      const int32_t x = first[i], y = second[i], w = weights[i], v = more_weights[i];
      a += x * w;
      b += x * v;
      c += y * w;
      d += y * v;
    }
    first += 4;
    second += 4;
    weights += 4;
    more_weights += 4;
  }
  for (int i = 0; i < count; ++i) {
    const int32_t x = first[i], y = second[i], w = weights[i], v = more_weights[i];
    a += x * w;
    b += x * v;
    c += y * w;
    d += y * v;
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

static int8_t rescaled(const mtf_rescaling *output, int32_t sum, int channel) {
  const int32_t value = mtf_rescale(sum, output->multipliers[channel], output->shifts[channel]);
  return (int8_t)mtf_clamped(value + output->zero_point, output->low, output->high);
}

int mtf_pointwise(const mtf_pointwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const int depth = layer->in_channels, channels = layer->out_channels;
  const mtf_rescaling *const rescaling = &layer->output;
  (void)scratch;
  /* Two pixels and two channels at a time; an odd last one is computed twice. */
  for (int32_t pixel = 0; pixel < layer->pixels; pixel += 2) {
    const int more = pixel + 1 < layer->pixels;
    const int8_t *const first = input + pixel * depth, *const second = first + more * depth;
    int8_t *const out = output + pixel * channels, *const other = out + more * channels;
    for (int channel = 0; channel < channels; channel += 2) {
      const int next = channel + (channel + 1 < channels);
      int32_t sums[4];
      sums[0] = sums[2] = rescaling->bias[channel];
      sums[1] = sums[3] = rescaling->bias[next];
      add_products(first, second, layer->weights + channel * depth, layer->weights + next * depth,
                   depth, sums);
      out[channel] = rescaled(rescaling, sums[0], channel);
      out[next] = rescaled(rescaling, sums[1], next);
      other[channel] = rescaled(rescaling, sums[2], channel);
      other[next] = rescaled(rescaling, sums[3], next);
    }
  }
  return MTF_OK;
}

#endif
