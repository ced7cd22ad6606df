/* From logits to probabilities. Written by mobilenet_tf. */
#include <math.h>

#include "mtf_decode.h"

float mtf_sigmoid(float logit) { return 1.0f / (1.0f + expf(-logit)); }
