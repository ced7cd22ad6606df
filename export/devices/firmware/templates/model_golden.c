/* The outputs are those of TensorFlow Lite Micro's reference kernels, the answers those of Python.
 * Written by mobilenet_tf. */
#include "model_golden.h"

const int8_t model_golden_inputs[MODEL_GOLDEN_COUNT][MODEL_INPUT_BYTES] = {
$golden_inputs
};

const int8_t model_golden_outputs[MODEL_GOLDEN_COUNT][MODEL_OUTPUT_BYTES] = {
$golden_outputs
};

const model_answer model_golden_answers[MODEL_GOLDEN_COUNT] = {
$golden_answers
};
