/* Prints what a network says. Written by mobilenet_tf. */
#ifndef SHOW_H_
#define SHOW_H_

#include "model_answer.h"

/* Print an answer, without floating point, which many C libraries print only with a heap. */
void show(const model_answer *answer);

#endif /* SHOW_H_ */
