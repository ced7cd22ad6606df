/* The weights and labels of model.h. Written by mobilenet_tf; do not edit. */
#include "model.h"

#include <stdalign.h>

/* Kernels read 32-bit values in place, and some processors trap on unaligned access. */
alignas(16) const unsigned char model_data[MODEL_BYTES] = {
$data
};

const char *const model_labels[MODEL_CLASSES] = {
$labels
};
