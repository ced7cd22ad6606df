/* See cycles.h. Written by mobilenet_tf. */
#include "cycles.h"

#include <stdint.h>

/* Control, value at which it restarts, and current value, which counts down. */
static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;
enum { CONTROL, RESTART, CURRENT, PERIOD = 1 << 24 };

static volatile unsigned long periods;

void SysTick_Handler(void);
void SysTick_Handler(void) { ++periods; }

void cycles_start(void) {
  periods = 0;
  systick[RESTART] = PERIOD - 1;
  systick[CURRENT] = 0;
  systick[CONTROL] = 7; /* enabled, with its exception, at the core's clock */
}

unsigned long cycles_stop(void) {
  const uint32_t left = systick[CURRENT];
  systick[CONTROL] = 0;
  const uint64_t ticks = (uint64_t)periods * PERIOD + (PERIOD - left);
#ifdef EMULATED_HZ
  /* QEMU's clock advances by a nanosecond with each instruction, whatever SysTick's rate is. */
  return (unsigned long)(ticks * UINT64_C(1000000000) / EMULATED_HZ);
#else
  return (unsigned long)ticks;
#endif
}
