/* Convolutions with a 1x1 kernel in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

#ifndef MTF_CMSIS_NN

/* One input channel of two pixels, x and y, and of two output channels, w and v. The loops are
 * unrolled by hand, whatever the compiler's options are. */
#define ADD_PRODUCTS(i)                                      \
  do {                                                       \
    const int32_t x_i = x[i], y_i = y[i], w_i = w[i], v_i = v[i]; \
    xw += x_i * w_i;                                         \
    xv += x_i * v_i;                                         \
    yw += y_i * w_i;                                         \
    yv += y_i * v_i;                                         \
  } while (0)

int mtf_pointwise(const mtf_pointwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const mtf_rescaling rescaling = layer->output; /* a copy, which no store to output can change */
  const int depth = layer->in_channels, channels = layer->out_channels;
  (void)scratch;
  /* Two pixels and two channels at a time; an odd last one is computed twice. */
  for (int32_t pixels = layer->pixels; pixels > 0; pixels -= 2) {
    const int second_pixel = pixels > 1;
    const int8_t *weights = layer->weights;
    for (int channel = 0; channel < channels; channel += 2) {
      const int next = channel + (channel + 1 < channels);
      const int8_t *x = input, *y = input + second_pixel * depth;
      const int8_t *w = weights, *v = weights + (next - channel) * depth;
      int32_t xw = rescaling.bias[channel], xv = rescaling.bias[next];
      int32_t yw = xw, yv = xv;
      int count = depth;
      for (; count >= 4; count -= 4) {
        ADD_PRODUCTS(0);
        ADD_PRODUCTS(1);
        ADD_PRODUCTS(2);
        ADD_PRODUCTS(3);
        x += 4;
        y += 4;
        w += 4;
        v += 4;
      }
      for (int i = 0; i < count; ++i) {
        ADD_PRODUCTS(i);
      }
      weights = v + count;
      output[channel] = mtf_rescaled(&rescaling, xw, channel);
      output[channel + second_pixel * channels] = mtf_rescaled(&rescaling, yw, channel);
      output[next] = mtf_rescaled(&rescaling, xv, next);
      output[next + second_pixel * channels] = mtf_rescaled(&rescaling, yv, next);
    }
    input += 2 * depth;
    output += 2 * channels;
  }
  return MTF_OK;
}

#endif
