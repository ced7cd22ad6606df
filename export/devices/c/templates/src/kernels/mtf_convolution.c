/* Convolutions with kernels of any size in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"
#include "mtf_window.h"

#ifndef MTF_CMSIS_NN

enum { CHANNELS = 4 };

/* Add the products of neighbouring values with the weights of four output channels. */
static void add_products(const int8_t *input, const int8_t *const weights[CHANNELS], int at,
                         int count, int zero_point, int32_t sums[CHANNELS]) {
  const int8_t *w0 = weights[0] + at, *w1 = weights[1] + at;
  const int8_t *w2 = weights[2] + at, *w3 = weights[3] + at;
  int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int i = 0; i < count; ++i) {
    const int32_t x = input[i] - zero_point;
    a += x * w0[i];
    b += x * w1[i];
    c += x * w2[i];
    d += x * w3[i];
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

int mtf_convolution(const mtf_convolution_layer *layer, const int8_t *input, int8_t *output,
                    mtf_scratch scratch) {
  const mtf_window *const window = &layer->window;
  const mtf_rescaling rescaling = layer->output; /* a copy, which no store to output can change */
  const int depth = window->channels;
  const int row = window->width * depth, kernel = window->height * row;
  (void)scratch;
  for (int y = 0; y < window->out_height; ++y) {
    const mtf_span rows = mtf_rows_inside(window, y);
    for (int x = 0; x < window->out_width; ++x) {
      const mtf_span columns = mtf_columns_inside(window, x);
      const int count = (columns.end - columns.first) * depth;
      for (int channel = 0; channel < layer->out_channels; channel += CHANNELS) {
        const int8_t *weights[CHANNELS];
        int32_t sums[CHANNELS];
        int numbers[CHANNELS]; /* of the channels; the last one stands for those that are absent */
        for (int i = 0; i < CHANNELS; ++i) {
          const int last = layer->out_channels - 1;
          numbers[i] = channel + i < last ? channel + i : last;
          weights[i] = layer->weights + numbers[i] * kernel;
          sums[i] = rescaling.bias[numbers[i]];
        }
        for (int ky = rows.first; ky < rows.end; ++ky) {
          const int32_t pixel =
              (int32_t)(rows.start + ky) * window->in_width + columns.start + columns.first;
          add_products(input + pixel * depth, weights, ky * row + columns.first * depth, count,
                       layer->input_zero_point, sums);
        }
        for (int i = 0; i < CHANNELS; ++i) {
          output[numbers[i]] = mtf_rescaled(&rescaling, sums[i], numbers[i]);
        }
      }
      output += layer->out_channels;
    }
  }
  return MTF_OK;
}

#endif
