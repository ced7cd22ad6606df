// TensorFlow Lite Micro behind runner.h. Written by mobilenet_tf.
//
// Operators of the model, with the versions that it needs:
$op_list
#include "runner.h"

#include "model.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

alignas(16) uint8_t arena[MODEL_ARENA_BYTES];
tflite::MicroMutableOpResolver<$op_count> resolver;
tflite::MicroInterpreter *interpreter = nullptr;

// Only the operators of this file, so that the linker omits all others.
bool AddOperators() {
  return $op_calls;
}

}  // namespace

extern "C" int runner_begin(void) {
  const tflite::Model *model = tflite::GetModel(model_data);
  if (model->version() != $schema_version) {
    return 1;
  }
  if (!AddOperators()) {
    return 2;
  }
  static tflite::MicroInterpreter instance(model, resolver, arena, sizeof(arena));
  if (instance.AllocateTensors() != kTfLiteOk) {
    return 3;
  }
  if (instance.input(0)->bytes != MODEL_INPUT_BYTES || instance.output(0)->bytes != MODEL_CLASSES) {
    return 4;
  }
  interpreter = &instance;
  return 0;
}

extern "C" int8_t *runner_input(void) { return interpreter->input(0)->data.int8; }

extern "C" const int8_t *runner_run(void) {
  if (interpreter->Invoke() != kTfLiteOk) {
    return nullptr;
  }
  return interpreter->output(0)->data.int8;
}

extern "C" size_t runner_arena_used(void) { return interpreter->arena_used_bytes(); }
