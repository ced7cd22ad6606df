// The names that model_runner.cc takes from this header of TensorFlow Lite, to compile it in tests.
#pragma once
#include <cstdint>

namespace tflite {
struct Model {
  uint32_t version() const;
};
const Model *GetModel(const void *data);
}  // namespace tflite
