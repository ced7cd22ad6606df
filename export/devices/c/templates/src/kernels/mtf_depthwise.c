/* Depthwise convolutions in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"
#include "mtf_window.h"

#ifndef MTF_CMSIS_NN

enum { CHANNELS = 4 }; /* that are computed together */

/* One pixel of the output. `input` and `weights` are those of the first tap inside the input. */
typedef struct {
  const int8_t *input, *weights;
  int32_t input_row, weights_row; /* from one row of taps to the next */
  int rows, columns;              /* taps inside the input */
  int channels, zero_point;
} taps;

/* Compute four channels from number `channel` on. */
static void compute_four(const mtf_rescaling *rescaling, const taps *pixel, int channel,
                         int8_t *output) {
  const int zero_point = pixel->zero_point, channels = pixel->channels;
  const int8_t *input = pixel->input + channel, *weights = pixel->weights + channel;
  const int32_t *const bias = rescaling->bias + channel;
  int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
  for (int row = pixel->rows; row > 0; --row) {
    const int8_t *x = input, *w = weights;
    for (int column = pixel->columns; column > 0; --column) {
      a += (x[0] - zero_point) * w[0];
      b += (x[1] - zero_point) * w[1];
      c += (x[2] - zero_point) * w[2];
      d += (x[3] - zero_point) * w[3];
      x += channels;
      w += channels;
    }
    input += pixel->input_row;
    weights += pixel->weights_row;
  }
  output[channel] = mtf_rescaled(rescaling, a, channel);
  output[channel + 1] = mtf_rescaled(rescaling, b, channel + 1);
  output[channel + 2] = mtf_rescaled(rescaling, c, channel + 2);
  output[channel + 3] = mtf_rescaled(rescaling, d, channel + 3);
}

static void compute_one(const mtf_rescaling *rescaling, const taps *pixel, int channel,
                        int8_t *output) {
  const int8_t *input = pixel->input + channel, *weights = pixel->weights + channel;
  int32_t sum = rescaling->bias[channel];
  for (int row = 0; row < pixel->rows; ++row) {
    for (int column = 0; column < pixel->columns; ++column) {
      const int at = column * pixel->channels;
      sum += (input[at] - pixel->zero_point) * weights[at];
    }
    input += pixel->input_row;
    weights += pixel->weights_row;
  }
  output[channel] = mtf_rescaled(rescaling, sum, channel);
}

int mtf_depthwise(const mtf_depthwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const mtf_window *const window = &layer->window;
  const mtf_rescaling rescaling = layer->output; /* a copy, which no store to output can change */
  taps pixel;
  (void)scratch;
  pixel.channels = window->channels;
  pixel.zero_point = layer->input_zero_point;
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
        compute_four(&rescaling, &pixel, channel, output);
      }
      for (; channel < pixel.channels; ++channel) {
        compute_one(&rescaling, &pixel, channel, output);
      }
      output += pixel.channels;
    }
  }
  return MTF_OK;
}

#endif
