/* From logits on a grid to the class of each pixel. Written by mobilenet_tf. */
#include "mtf_decode.h"

/* Two neighbours on the grid, and their weights in units of 1 / (2 * factor). */
typedef struct {
  int32_t first, second;
  int32_t first_weight, second_weight;
} neighbours;

static int32_t within(int32_t place, int32_t size) {
  return place < 0 ? 0 : place < size ? place : size - 1;
}

static neighbours around(int32_t place, int32_t factor, int32_t size) {
  /* From the centre of the first cell to that of the pixel. One factor more keeps it positive. */
  const int32_t distance = 2 * place + 1 + factor;
  const int32_t cell = distance / (2 * factor) - 1;
  neighbours found;
  found.first = within(cell, size);
  found.second = within(cell + 1, size);
  found.second_weight = distance % (2 * factor);
  found.first_weight = 2 * factor - found.second_weight;
  return found;
}

void mtf_mask_row(const mtf_grid *grid, const int8_t *logits, int32_t row, uint8_t *classes) {
  const neighbours y = around(row, grid->factor_y, grid->height);
  const int32_t line = (int32_t)grid->width * grid->classes;
  const int8_t *const upper = logits + y.first * line;
  const int8_t *const lower = logits + y.second * line;
  for (int32_t column = 0; column < grid->width * grid->factor_x; ++column) {
    const neighbours x = around(column, grid->factor_x, grid->width);
    const int32_t left = x.first * grid->classes, right = x.second * grid->classes;
    int32_t largest = INT32_MIN;
    for (int32_t index = 0; index < grid->classes; ++index) {
      const int32_t above =
          upper[left + index] * x.first_weight + upper[right + index] * x.second_weight;
      const int32_t below =
          lower[left + index] * x.first_weight + lower[right + index] * x.second_weight;
      const int32_t logit = above * y.first_weight + below * y.second_weight;
      if (logit > largest) {
        largest = logit;
        classes[column] = (uint8_t)index;
      }
    }
  }
}
