/* The weights and labels of model.h. Written by mobilenet_tf. */
#include "model.h"

#include <stdalign.h>

/* Where the weights lie: an attribute, such as -D'MODEL_WEIGHTS=__attribute__((section(".xip")))'. */
#ifndef MODEL_WEIGHTS
#define MODEL_WEIGHTS
#endif

/* Kernels read 32-bit values in place, and some processors trap on unaligned access. */
alignas(16) const unsigned char model_data[MODEL_BYTES] MODEL_WEIGHTS = {
$data
};

const char *const model_labels[MODEL_CLASSES] = {
$labels
};
