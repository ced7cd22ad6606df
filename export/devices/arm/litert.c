/* runner.h on LiteRT's own C interface, of version 2.3, whose wheel has no headers. */
#include "runner.h"

#include <stdint.h>
#include <stdlib.h>

typedef void *handle; /* all of LiteRT's objects */

typedef struct {
  int32_t element;
  uint32_t rank;
  int32_t dimensions[8];
  uint32_t strides[8];
} tensor_type;

enum { CPU = 1 };

int LiteRtCreateEnvironment(int count, const void *options, handle *environment);
int LiteRtCreateModelFromFile(handle environment, const char *file, handle *model);
int LiteRtCreateOptions(handle *options);
int LiteRtSetOptionsHardwareAccelerators(handle options, int accelerators);
int LiteRtCreateCompiledModel(handle environment, handle model, handle options, handle *compiled);
int LiteRtGetModelSubgraph(handle model, size_t index, handle *graph);
int LiteRtGetNumSubgraphInputs(handle graph, size_t *count);
int LiteRtGetNumSubgraphOutputs(handle graph, size_t *count);
int LiteRtGetSubgraphInput(handle graph, size_t index, handle *found);
int LiteRtGetSubgraphOutput(handle graph, size_t index, handle *found);
int LiteRtGetRankedTensorType(handle found, tensor_type *type);
int LiteRtGetCompiledModelInputBufferRequirements(handle compiled, size_t signature, size_t index,
                                                  handle *requirements);
int LiteRtGetCompiledModelOutputBufferRequirements(handle compiled, size_t signature, size_t index,
                                                   handle *requirements);
int LiteRtCreateManagedTensorBufferFromRequirements(handle environment, const tensor_type *type,
                                                    handle requirements, handle *buffer);
int LiteRtGetTensorBufferPackedSize(handle buffer, size_t *bytes);
int LiteRtGetTensorBufferHostMemory(handle buffer, void **data);
int LiteRtRunCompiledModel(handle compiled, size_t signature, size_t input_count, handle *inputs,
                           size_t output_count, handle *outputs);
void LiteRtDestroyTensorBuffer(handle buffer);
void LiteRtDestroyCompiledModel(handle compiled);
void LiteRtDestroyOptions(handle options);
void LiteRtDestroyModel(handle model);

static handle environment, model, options, compiled;
static handle inputs[MOST_TENSORS], outputs[MOST_TENSORS];
static size_t input_count, output_count;

static void check(const char *what, int status) {
  if (status != 0) {
    fail(what, status);
  }
}

static void buffer_of(handle found, handle requirements, handle *buffer, tensor *memory) {
  tensor_type type;
  check("a tensor has no fixed shape", LiteRtGetRankedTensorType(found, &type));
  check("no memory for a tensor", LiteRtCreateManagedTensorBufferFromRequirements(
                                      environment, &type, requirements, buffer));
  check("a tensor has no size", LiteRtGetTensorBufferPackedSize(*buffer, &memory->bytes));
  check("a tensor is elsewhere", LiteRtGetTensorBufferHostMemory(*buffer, &memory->data));
}

void open_model(const char *file, tensors *opened) {
  handle graph, found, requirements;
  if (environment == NULL) {
    check("no environment", LiteRtCreateEnvironment(0, NULL, &environment));
  }
  check("the file cannot be read", LiteRtCreateModelFromFile(environment, file, &model));
  check("no options", LiteRtCreateOptions(&options));
  check("no CPU", LiteRtSetOptionsHardwareAccelerators(options, CPU));
  check("the file cannot be run",
        LiteRtCreateCompiledModel(environment, model, options, &compiled));
  check("no graph", LiteRtGetModelSubgraph(model, 0, &graph));
  check("no inputs", LiteRtGetNumSubgraphInputs(graph, &input_count));
  check("no outputs", LiteRtGetNumSubgraphOutputs(graph, &output_count));
  if (input_count > MOST_TENSORS || output_count > MOST_TENSORS) {
    fail("too many inputs or outputs", MOST_TENSORS);
  }
  for (size_t i = 0; i < input_count; ++i) {
    check("no input", LiteRtGetSubgraphInput(graph, i, &found));
    check("no input", LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, i, &requirements));
    buffer_of(found, requirements, &inputs[i], &opened->inputs[i]);
  }
  for (size_t i = 0; i < output_count; ++i) {
    check("no output", LiteRtGetSubgraphOutput(graph, i, &found));
    check("no output",
          LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, i, &requirements));
    buffer_of(found, requirements, &outputs[i], &opened->outputs[i]);
  }
  opened->input_count = input_count;
  opened->output_count = output_count;
}

void run_model(void) {
  check("the file cannot be run",
        LiteRtRunCompiledModel(compiled, 0, input_count, inputs, output_count, outputs));
}

void close_model(void) {
  for (size_t i = 0; i < input_count; ++i) {
    LiteRtDestroyTensorBuffer(inputs[i]);
  }
  for (size_t i = 0; i < output_count; ++i) {
    LiteRtDestroyTensorBuffer(outputs[i]);
  }
  LiteRtDestroyCompiledModel(compiled);
  LiteRtDestroyOptions(options);
  LiteRtDestroyModel(model);
}
