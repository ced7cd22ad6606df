/* Depthwise convolutions with gaps between their taps, in portable C. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"

/* The taps of a window that lie inside the input. */
typedef struct {
  int start; /* place of tap 0, which may be outside */
  int first, end;
} taps;

static taps taps_inside(int start, int dilation, int count, int size) {
  taps found;
  found.start = start;
  found.first = start < 0 ? (dilation - 1 - start) / dilation : 0;
  found.end = start >= size ? 0 : (size - 1 - start) / dilation + 1;
  found.end = found.end > count ? count : found.end;
  return found;
}

static int32_t sum_of(const mtf_dilated_layer *layer, const int8_t *input, const taps *rows,
                      const taps *columns, int channel) {
  const mtf_window *const window = &layer->window;
  int32_t sum = layer->output.bias[channel];
  for (int row = rows->first; row < rows->end; ++row) {
    const int32_t y = rows->start + row * layer->dilation_y;
    for (int column = columns->first; column < columns->end; ++column) {
      const int32_t x = columns->start + column * layer->dilation_x;
      const int32_t tap = (int32_t)row * window->width + column;
      sum += (input[(y * window->in_width + x) * window->channels + channel] -
              layer->input_zero_point) *
             layer->weights[tap * window->channels + channel];
    }
  }
  return sum;
}

void mtf_dilated(const mtf_dilated_layer *layer, const int8_t *input, int8_t *output) {
  const mtf_window *const window = &layer->window;
  for (int y = 0; y < window->out_height; ++y) {
    const taps rows = taps_inside(y * window->stride_y - window->top, layer->dilation_y,
                                  window->height, window->in_height);
    for (int x = 0; x < window->out_width; ++x) {
      const taps columns = taps_inside(x * window->stride_x - window->left, layer->dilation_x,
                                       window->width, window->in_width);
      for (int channel = 0; channel < window->channels; ++channel) {
        const int32_t sum = sum_of(layer, input, &rows, &columns, channel);
        *output++ = mtf_rescaled(&layer->output, sum, channel);
      }
    }
  }
}
