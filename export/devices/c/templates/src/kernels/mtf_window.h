/* Which part of a window lies inside the input. Written by mobilenet_tf. */
#ifndef MTF_WINDOW_H_
#define MTF_WINDOW_H_

#include "mtf_kernels.h"

/* Where a window begins, which may be outside, and its rows or columns that are inside. */
typedef struct {
  int start, first, end;
} mtf_span;

static inline mtf_span mtf_inside(int at, int stride, int padding, int window, int size) {
  mtf_span span;
  span.start = at * stride - padding;
  span.first = span.start < 0 ? -span.start : 0;
  span.end = span.start + window > size ? size - span.start : window;
  return span;
}

static inline mtf_span mtf_rows_inside(const mtf_window *window, int y) {
  return mtf_inside(y, window->stride_y, window->top, window->height, window->in_height);
}

static inline mtf_span mtf_columns_inside(const mtf_window *window, int x) {
  return mtf_inside(x, window->stride_x, window->left, window->width, window->in_width);
}

#endif /* MTF_WINDOW_H_ */
