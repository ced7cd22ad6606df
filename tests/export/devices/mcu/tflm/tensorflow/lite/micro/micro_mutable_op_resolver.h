// The names that model_runner.cc takes from this header of TensorFlow Lite Micro.
#pragma once
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {
template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddAdd();
  TfLiteStatus AddAveragePool2D();
  TfLiteStatus AddConcatenation();
  TfLiteStatus AddConv2D();
  TfLiteStatus AddDecode();
  TfLiteStatus AddDepthwiseConv2D();
  TfLiteStatus AddFullyConnected();
  TfLiteStatus AddHardSwish();
  TfLiteStatus AddMaxPool2D();
  TfLiteStatus AddMean();
  TfLiteStatus AddMul();
  TfLiteStatus AddPad();
  TfLiteStatus AddQuantize();
  TfLiteStatus AddReduceMax();
  TfLiteStatus AddReshape();
  TfLiteStatus AddSoftmax();
};
}  // namespace tflite
