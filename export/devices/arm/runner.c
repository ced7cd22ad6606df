/* Runs .tflite files on an emulated processor.
 *
 *   runner COUNT FILE...
 *
 * COUNT times for each file: reads all inputs from standard input, runs the file, and writes all
 * outputs to standard output. QEMU counts instructions between the two functions `before_run` and
 * `after_run`.
 */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void before_run(void) { __asm__ volatile(""); }
__attribute__((noinline)) void after_run(void) { __asm__ volatile(""); }

void fail(const char *what, int code) {
  fprintf(stderr, "runner: %s, code %d\n", what, code);
  exit(3);
}

static tensors open_file;

int main(int count, char **arguments) {
  const int runs = count > 1 ? atoi(arguments[1]) : 0;
  for (int file = 2; file < count; ++file) {
    open_model(arguments[file], &open_file);
    for (int run = 0; run < runs; ++run) {
      for (size_t i = 0; i < open_file.input_count; ++i) {
        const tensor input = open_file.inputs[i];
        if (fread(input.data, 1, input.bytes, stdin) != input.bytes) {
          fail("too few bytes of inputs", run);
        }
      }
      before_run();
      run_model();
      after_run();
      for (size_t i = 0; i < open_file.output_count; ++i) {
        const tensor output = open_file.outputs[i];
        if (fwrite(output.data, 1, output.bytes, stdout) != output.bytes) {
          fail("the outputs cannot be written", run);
        }
      }
    }
    close_model();
  }
  return 0;
}
