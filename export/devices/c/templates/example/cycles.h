/* Cycles between two calls, by SysTick, which every Cortex-M has. Written by mobilenet_tf. */
#ifndef CYCLES_H_
#define CYCLES_H_

void cycles_start(void);

/* Return the cycles since cycles_start(); in the emulator, the instructions. */
unsigned long cycles_stop(void);

#endif /* CYCLES_H_ */
