/* See stack.h. Written by mobilenet_tf. */
#include "stack.h"

#include <stdint.h>

enum { PAINT = 0x5A, DEPTH = 8192, MARGIN = 64 };

static volatile uint8_t *top;

void stack_paint(void) {
  top = (volatile uint8_t *)__builtin_frame_address(0) - MARGIN;
  for (volatile uint8_t *at = top - DEPTH; at < top; ++at) {
    *at = PAINT;
  }
}

unsigned long stack_used(void) {
  volatile uint8_t *at = top - DEPTH;
  while (at < top && *at == PAINT) {
    ++at;
  }
  return (unsigned long)(top - at) + MARGIN;
}
