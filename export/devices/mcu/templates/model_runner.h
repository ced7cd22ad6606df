/* The model as five C functions. Written by mobilenet_tf. */
#ifndef MODEL_RUNNER_H_
#define MODEL_RUNNER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  MODEL_RUNNER_OK = 0,
  MODEL_RUNNER_SCHEMA = 1,   /* the interpreter reads another version of the file format */
  MODEL_RUNNER_OPERATOR = 2, /* the interpreter lacks an operator */
  MODEL_RUNNER_ARENA = 3,    /* the arena is too small */
  MODEL_RUNNER_SIZE = 4      /* the size of input or output differs from model.h */
} model_runner_error;

/* Call this before the other functions; once is enough. Return MODEL_RUNNER_OK or an error. */
model_runner_error model_runner_begin(void);

/* Return the input: MODEL_INPUT_BYTES integers, pixel - 128, to write before each run. NULL before
 * model_runner_begin() has succeeded. */
int8_t *model_runner_input(void);

/* Run the model on the input. Return the first output, or NULL if the model did not run. */
const int8_t *model_runner_run(void);

/* Return an output of the last run, from 0 to MODEL_OUTPUTS - 1; NULL for another number. */
const int8_t *model_runner_output(int index);

/* Return the number of bytes of the arena in use; 0 before model_runner_begin() has succeeded. */
size_t model_runner_arena_used(void);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_RUNNER_H_ */
