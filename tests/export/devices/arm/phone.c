/* runner.h on TensorFlow Lite's C interface, which the phone's libtensorflowlite_jni.so exports. */
#include "runner.h"

#include <stdint.h>

typedef void *handle; /* all of the library's objects */

handle TfLiteModelCreateFromFile(const char *file);
handle TfLiteInterpreterOptionsCreate(void);
void TfLiteInterpreterOptionsSetNumThreads(handle options, int32_t count);
void TfLiteInterpreterOptionsAddDelegate(handle options, handle delegate);
handle TfLiteXNNPackDelegateCreate(const void *options);
handle TfLiteInterpreterCreate(handle model, handle options);
int TfLiteInterpreterAllocateTensors(handle interpreter);
int32_t TfLiteInterpreterGetInputTensorCount(handle interpreter);
int32_t TfLiteInterpreterGetOutputTensorCount(handle interpreter);
handle TfLiteInterpreterGetInputTensor(handle interpreter, int32_t index);
handle TfLiteInterpreterGetOutputTensor(handle interpreter, int32_t index);
void *TfLiteTensorData(handle found);
size_t TfLiteTensorByteSize(handle found);
int TfLiteInterpreterInvoke(handle interpreter);
void TfLiteInterpreterDelete(handle interpreter);
void TfLiteInterpreterOptionsDelete(handle options);
void TfLiteXNNPackDelegateDelete(handle delegate);
void TfLiteModelDelete(handle model);

/* Android's compiler keeps its guard of the stack 40 bytes behind the thread's pointer, where glibc
 * has this program's own variables: here, one that nobody changes. */
__thread volatile char guard[128] = {1};

static handle model, options, delegate, interpreter;

void open_model(const char *file, tensors *opened) {
  model = TfLiteModelCreateFromFile(file);
  if (model == NULL) {
    fail("the file cannot be read", guard[0]);
  }
  options = TfLiteInterpreterOptionsCreate();
  delegate = TfLiteXNNPackDelegateCreate(NULL);
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  TfLiteInterpreterOptionsAddDelegate(options, delegate);
  interpreter = TfLiteInterpreterCreate(model, options);
  if (interpreter == NULL || TfLiteInterpreterAllocateTensors(interpreter) != 0) {
    fail("the file cannot be run", 1);
  }
  opened->input_count = (size_t)TfLiteInterpreterGetInputTensorCount(interpreter);
  opened->output_count = (size_t)TfLiteInterpreterGetOutputTensorCount(interpreter);
  if (opened->input_count > MOST_TENSORS || opened->output_count > MOST_TENSORS) {
    fail("too many inputs or outputs", MOST_TENSORS);
  }
  for (size_t i = 0; i < opened->input_count; ++i) {
    const handle found = TfLiteInterpreterGetInputTensor(interpreter, (int32_t)i);
    opened->inputs[i] = (tensor){TfLiteTensorData(found), TfLiteTensorByteSize(found)};
  }
  for (size_t i = 0; i < opened->output_count; ++i) {
    const handle found = TfLiteInterpreterGetOutputTensor(interpreter, (int32_t)i);
    opened->outputs[i] = (tensor){TfLiteTensorData(found), TfLiteTensorByteSize(found)};
  }
}

void run_model(void) {
  if (TfLiteInterpreterInvoke(interpreter) != 0) {
    fail("the file cannot be run", 2);
  }
}

void close_model(void) {
  TfLiteInterpreterDelete(interpreter);
  TfLiteXNNPackDelegateDelete(delegate);
  TfLiteInterpreterOptionsDelete(options);
  TfLiteModelDelete(model);
}
