/* Convolutions with a 1x1 kernel of 4 bits, read in place. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

/* The two weights in a byte, the low one first, as 16 times their value: their place in a byte is
 * that of its high bits, so that neither needs to be shifted back. */
#define LOW(byte) ((int8_t)(uint8_t)((byte) << 4))
#define HIGH(byte) ((int8_t)(uint8_t)((byte) & 0xF0))
enum { SHIFT = 4 };

/* Two input channels of two pixels, x and y, and of two output channels, w and v. */
#define ADD_PRODUCTS(i)                                               \
  do {                                                                \
    const int32_t w_low = LOW(w[i]), w_high = HIGH(w[i]);             \
    const int32_t v_low = LOW(v[i]), v_high = HIGH(v[i]);             \
    const int32_t x_low = x[2 * (i)], x_high = x[2 * (i) + 1];        \
    const int32_t y_low = y[2 * (i)], y_high = y[2 * (i) + 1];        \
    xw += x_low * w_low + x_high * w_high;                            \
    xv += x_low * v_low + x_high * v_high;                            \
    yw += y_low * w_low + y_high * w_high;                            \
    yv += y_low * v_low + y_high * v_high;                            \
  } while (0)

void mtf_pointwise_int4(const mtf_pointwise_int4_layer *layer, const int8_t *input,
                        int8_t *output) {
  const mtf_rescaling rescaling = layer->output; /* a copy, which no store to output can change */
  const int depth = layer->in_channels, channels = layer->out_channels, bytes = depth / 2;
  /* Two pixels and two channels at a time; an odd last one is computed twice. */
  for (int32_t pixels = layer->pixels; pixels > 0; pixels -= 2) {
    const int second_pixel = pixels > 1;
    const uint8_t *w = layer->weights;
    for (int channel = 0; channel < channels; channel += 2) {
      const int next = channel + (channel + 1 < channels);
      const int8_t *x = input, *y = input + second_pixel * depth;
      const uint8_t *v = w + (next - channel) * bytes;
      int32_t xw = 0, xv = 0, yw = 0, yv = 0;
      int count = bytes;
      for (; count >= 2; count -= 2) {
        ADD_PRODUCTS(0);
        ADD_PRODUCTS(1);
        x += 4;
        y += 4;
        w += 2;
        v += 2;
      }
      if (count > 0) {
        ADD_PRODUCTS(0);
        ++v;
      }
      w = v;
      output[channel] = mtf_rescaled(&rescaling, (xw >> SHIFT) + rescaling.bias[channel], channel);
      output[channel + second_pixel * channels] =
          mtf_rescaled(&rescaling, (yw >> SHIFT) + rescaling.bias[channel], channel);
      output[next] = mtf_rescaled(&rescaling, (xv >> SHIFT) + rescaling.bias[next], next);
      output[next + second_pixel * channels] =
          mtf_rescaled(&rescaling, (yv >> SHIFT) + rescaling.bias[next], next);
    }
    input += 2 * depth;
    output += 2 * channels;
  }
}
