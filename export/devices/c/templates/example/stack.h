/* How deep the stack was between two calls. Written by mobilenet_tf. */
#ifndef STACK_H_
#define STACK_H_

void stack_paint(void);

/* Return the bytes of stack that were written since stack_paint() below its caller. */
unsigned long stack_used(void);

#endif /* STACK_H_ */
