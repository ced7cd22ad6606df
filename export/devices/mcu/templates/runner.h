/* The model as four C functions. Written by mobilenet_tf. */
#ifndef RUNNER_H_
#define RUNNER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Call this once, before the other functions. Returns 0 on success, 1 if the file has another
 * schema version, 2 if an operator is missing, 3 if the arena is too small, and 4 if the size of
 * input or output differs from model.h. */
int runner_begin(void);

/* Returns the input: MODEL_INPUT_BYTES integers, pixel - 128, to write before each run. */
int8_t *runner_input(void);

/* Runs the model on the input. Returns MODEL_CLASSES scores, or NULL if the model did not run. */
const int8_t *runner_run(void);

/* Returns the number of bytes of the arena in use. Call runner_begin() first. */
size_t runner_arena_used(void);

#ifdef __cplusplus
}
#endif

#endif /* RUNNER_H_ */
