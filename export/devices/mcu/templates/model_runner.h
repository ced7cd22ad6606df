/* The model as C functions, and the errors of model_invoke(). Written by mobilenet_tf. */
#ifndef MODEL_RUNNER_H_
#define MODEL_RUNNER_H_

#include <stddef.h>
#include <stdint.h>

#include "model_io.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  MODEL_RUNNER_OK = 0,
  MODEL_RUNNER_SCHEMA = 1,   /* the interpreter reads another version of the file format */
  MODEL_RUNNER_OPERATOR = 2, /* the interpreter lacks an operator */
  MODEL_RUNNER_ARENA = 3,    /* the arena is too small */
  MODEL_RUNNER_SIZE = 4,     /* the size of input or output differs from model.h */
  MODEL_RUNNER_INVOKE = 5,   /* the interpreter failed */
  MODEL_RUNNER_NULL = 6      /* an argument is NULL */
} model_runner_error;

/* Make the interpreter ready, which model_input() and model_invoke() also do; once is enough. Return
 * MODEL_RUNNER_OK or an error. */
model_runner_error model_runner_begin(void);

/* Run the model on what lies in model_input(). Return the first output, where the interpreter has
 * it, or NULL if the model did not run. */
const int8_t *model_runner_run(void);

/* Return an output of the last run, from 0 to MODEL_OUTPUTS - 1; NULL for another number. */
const int8_t *model_runner_output(int index);

/* Return the number of bytes of the arena in use; 0 before model_runner_begin() has succeeded. */
size_t model_runner_arena_used(void);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_RUNNER_H_ */
