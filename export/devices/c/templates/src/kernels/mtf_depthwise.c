/* Depthwise convolutions in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"
#include "mtf_window.h"

#ifndef MTF_CMSIS_NN

enum { CHANNELS = 4 };

/* One pixel of the output. `input` and `weights` are those of the first tap inside the input. */
typedef struct {
  const int8_t *input, *weights;
  int32_t input_row, weights_row; /* from one row of taps to the next */
  int rows, columns;              /* taps inside the input */
  int channels;
} taps;

/* Compute `count` channels from number `channel` on; callers pass constant counts. */
static inline void compute(const mtf_depthwise_layer *layer, const taps *pixel, int channel,
                           int count, int8_t *output) {
  const mtf_rescaling *const rescaling = &layer->output;
  const int zero_point = layer->input_zero_point, channels = pixel->channels;
  const int8_t *input = pixel->input + channel, *weights = pixel->weights + channel;
  int32_t sums[CHANNELS];
  for (int i = 0; i < count; ++i) {
    sums[i] = rescaling->bias[channel + i];
  }
  for (int row = pixel->rows; row > 0; --row) {
    const int8_t *x = input, *w = weights;
    for (int column = pixel->columns; column > 0; --column) {
      for (int i = 0; i < count; ++i) {
        sums[i] += (x[i] - zero_point) * w[i];
      }
      x += channels;
      w += channels;
    }
    input += pixel->input_row;
    weights += pixel->weights_row;
  }
  for (int i = 0; i < count; ++i) {
    const int at = channel + i;
    const int32_t value = mtf_rescale(sums[i], rescaling->multipliers[at], rescaling->shifts[at]);
    output[at] =
        (int8_t)mtf_clamped(value + rescaling->zero_point, rescaling->low, rescaling->high);
  }
}

int mtf_depthwise(const mtf_depthwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const mtf_window *const window = &layer->window;
  taps pixel;
  (void)scratch;
  pixel.channels = window->channels;
  pixel.input_row = (int32_t)window->in_width * window->channels;
  pixel.weights_row = (int32_t)window->width * window->channels;
  for (int y = 0; y < window->out_height; ++y) {
    const mtf_span rows = mtf_rows_inside(window, y);
    pixel.rows = rows.end - rows.first;
    for (int x = 0; x < window->out_width; ++x) {
      const mtf_span columns = mtf_columns_inside(window, x);
      int channel = 0;
      pixel.columns = columns.end - columns.first;
      pixel.input = input + (rows.start + rows.first) * pixel.input_row +
                    (columns.start + columns.first) * pixel.channels;
      pixel.weights =
          layer->weights + rows.first * pixel.weights_row + columns.first * pixel.channels;
      for (; channel + CHANNELS <= pixel.channels; channel += CHANNELS) {
        compute(layer, &pixel, channel, CHANNELS, output);
      }
      for (; channel < pixel.channels; ++channel) {
        compute(layer, &pixel, channel, 1, output);
      }
      output += pixel.channels;
    }
  }
  return MTF_OK;
}

#endif
