/* What runner.c needs of a runtime: one open file, with the memory of its inputs and outputs. */
#ifndef RUNNER_H
#define RUNNER_H

#include <stddef.h>

enum { MOST_TENSORS = 1024 };

typedef struct {
  void *data;
  size_t bytes;
} tensor;

typedef struct {
  size_t input_count, output_count;
  tensor inputs[MOST_TENSORS], outputs[MOST_TENSORS];
} tensors;

/* Ends the program with a message. */
void fail(const char *what, int code);

/* Opens a .tflite; one thread, XNNPACK. */
void open_model(const char *file, tensors *found);

/* Runs the open file once, from its inputs' memory to its outputs'. */
void run_model(void);

/* Closes the file. */
void close_model(void);

#endif
