/* Average and maximum of windows. Written by mobilenet_tf. */
#include "mtf_fixed_point.h"
#include "mtf_kernels.h"
#include "mtf_window.h"

/* The part of a window inside the input, for one channel. */
typedef struct {
  const int8_t *input;
  int rows, columns;
  int32_t row, column; /* from one row and column to the next */
} patch;

static int32_t average(const patch *part) {
  const int32_t count = (int32_t)part->rows * part->columns;
  int32_t sum = 0;
  for (int y = 0; y < part->rows; ++y) {
    for (int x = 0; x < part->columns; ++x) {
      sum += part->input[y * part->row + x * part->column];
    }
  }
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t maximum(const patch *part) {
  int32_t most = INT8_MIN;
  for (int y = 0; y < part->rows; ++y) {
    for (int x = 0; x < part->columns; ++x) {
      const int32_t value = part->input[y * part->row + x * part->column];
      most = value > most ? value : most;
    }
  }
  return most;
}

static void pool(const mtf_pool_layer *layer, const int8_t *input, int8_t *output,
                 int32_t (*reduce)(const patch *)) {
  const mtf_window *const window = &layer->window;
  patch part;
  part.column = window->channels;
  part.row = window->in_width * part.column;
  for (int y = 0; y < window->out_height; ++y) {
    const mtf_span rows = mtf_rows_inside(window, y);
    part.rows = rows.end - rows.first;
    for (int x = 0; x < window->out_width; ++x) {
      const mtf_span columns = mtf_columns_inside(window, x);
      const int8_t *const corner = input + (rows.start + rows.first) * part.row +
                                   (columns.start + columns.first) * part.column;
      part.columns = columns.end - columns.first;
      for (int channel = 0; channel < window->channels; ++channel) {
        part.input = corner + channel;
        *output++ = (int8_t)mtf_clamped(reduce(&part), layer->low, layer->high);
      }
    }
  }
}

void mtf_average_pool(const mtf_pool_layer *layer, const int8_t *input, int8_t *output) {
  pool(layer, input, output, average);
}

void mtf_max_pool(const mtf_pool_layer *layer, const int8_t *input, int8_t *output) {
  pool(layer, input, output, maximum);
}
