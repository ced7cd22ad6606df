/* The model as four C functions. Written by mobilenet_tf. */
#ifndef RUNNER_H_
#define RUNNER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Once, before the others. Returns 0, or 1: a file of another schema; 2: an operator is missing;
 * 3: the arena is too small; 4: input or output is not what model.h says. */
int runner_begin(void);

/* MODEL_INPUT_BYTES integers to fill before each run: pixel - 128. */
int8_t *runner_input(void);

/* MODEL_CLASSES scores of the picture in runner_input(), or NULL where it did not run. */
const int8_t *runner_run(void);

/* Bytes of the arena in use, after runner_begin(). */
size_t runner_arena_used(void);

#ifdef __cplusplus
}
#endif

#endif /* RUNNER_H_ */
