// TensorFlow Lite Micro behind model_runner.h. Written by mobilenet_tf.
//
// Operators of the model, with the versions that it needs:
$op_list
#include "model_runner.h"

#include <cstring>
#include <new>

#include "model.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

// Where the arena lies: an attribute, such as -D'MODEL_ARENA=__attribute__((section(".dtcm")))'.
#ifndef MODEL_ARENA
#define MODEL_ARENA
#endif

namespace {

alignas(16) uint8_t arena[MODEL_ARENA_BYTES] MODEL_ARENA;
// Memory of an object that is made later: a static object inside a function would need guards.
alignas(tflite::MicroInterpreter) uint8_t memory[sizeof(tflite::MicroInterpreter)];
tflite::MicroMutableOpResolver<$op_count> resolver;
constexpr size_t output_sizes[MODEL_OUTPUTS] = MODEL_OUTPUT_SIZES;
bool has_operators = false;
tflite::MicroInterpreter *interpreter = nullptr;  // once it is ready

// Only the operators of this file, so that the linker omits all others.
bool AddOperators() {
  return $op_calls;
}

}  // namespace

extern "C" model_runner_error model_runner_begin(void) {
  if (interpreter != nullptr) {
    return MODEL_RUNNER_OK;
  }
  const tflite::Model *model = tflite::GetModel(model_data);
#ifdef TFLITE_SCHEMA_VERSION
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    return MODEL_RUNNER_SCHEMA;
  }
#endif
  has_operators = has_operators || AddOperators();
  if (!has_operators) {
    return MODEL_RUNNER_OPERATOR;
  }
  auto *made = new (memory) tflite::MicroInterpreter(model, resolver, arena, sizeof(arena));
  if (made->AllocateTensors() != kTfLiteOk) {
    return MODEL_RUNNER_ARENA;
  }
  if (made->input(0)->bytes != MODEL_INPUT_BYTES) {
    return MODEL_RUNNER_SIZE;
  }
  for (int index = 0; index < MODEL_OUTPUTS; ++index) {
    if (made->output(index)->bytes != output_sizes[index]) {
      return MODEL_RUNNER_SIZE;
    }
  }
  interpreter = made;
  return MODEL_RUNNER_OK;
}

extern "C" int8_t *model_input(void) {
  return model_runner_begin() == MODEL_RUNNER_OK ? interpreter->input(0)->data.int8 : nullptr;
}

extern "C" const int8_t *model_runner_run(void) {
  if (interpreter == nullptr || interpreter->Invoke() != kTfLiteOk) {
    return nullptr;
  }
  return interpreter->output(0)->data.int8;
}

extern "C" const int8_t *model_runner_output(int index) {
  if (interpreter == nullptr || index < 0 || index >= MODEL_OUTPUTS) {
    return nullptr;
  }
  return interpreter->output(index)->data.int8;
}

extern "C" int model_invoke(const int8_t *image, int8_t *scores) {
  if (image == nullptr || scores == nullptr) {
    return MODEL_RUNNER_NULL;
  }
  const model_runner_error error = model_runner_begin();
  if (error != MODEL_RUNNER_OK) {
    return error;
  }
  if (image != model_input()) {
    memcpy(model_input(), image, MODEL_INPUT_BYTES);
  }
  if (model_runner_run() == nullptr) {
    return MODEL_RUNNER_INVOKE;
  }
  for (int index = 0; index < MODEL_OUTPUTS; ++index) {
    memcpy(scores, model_runner_output(index), output_sizes[index]);
    scores += output_sizes[index];
  }
  return MODEL_RUNNER_OK;
}

extern "C" size_t model_runner_arena_used(void) {
  return interpreter == nullptr ? 0 : interpreter->arena_used_bytes();
}
