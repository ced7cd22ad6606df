/* Start-up of a Cortex-M with a debugger's or an emulator's semihosting. Written by mobilenet_tf.
 *
 * On your board, use the start-up code of its vendor instead. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t data_source[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];

int main(void);
void initialise_monitor_handles(void); /* of newlib's librdimon: opens standard output */
void SysTick_Handler(void);

void Reset_Handler(void) {
  volatile uint32_t *const coprocessors = (volatile uint32_t *)0xE000ED88; /* CPACR */
  const uint32_t *from = data_source;
  *coprocessors |= UINT32_C(0xF) << 20; /* floating point and vector instructions */
  __asm volatile("dsb\n isb");
  for (uint32_t *to = data_begin; to < data_end; ++to) {
    *to = *from++;
  }
  for (uint32_t *to = bss_begin; to < bss_end; ++to) {
    *to = 0;
  }
  initialise_monitor_handles();
  exit(main());
}

/* Any fault ends the program with an error. */
static void Fault_Handler(void) { _Exit(99); }

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  handler handlers[15];
} vectors = {stack_top,
             {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
              Fault_Handler, Fault_Handler, 0, 0, 0, Fault_Handler, Fault_Handler, 0,
              Fault_Handler, SysTick_Handler}};
