/* Pictures and the outputs of the model for them, for a self-test on the device.
 *
 * Written by mobilenet_tf. To save $golden_bytes bytes, remove model_golden.c and
 * model_selftest.c from the build.
 */
#ifndef MODEL_GOLDEN_H_
#define MODEL_GOLDEN_H_

#include <stdint.h>

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_GOLDEN_COUNT $golden_count

extern const int8_t model_golden_inputs[MODEL_GOLDEN_COUNT][MODEL_INPUT_BYTES];
extern const int8_t model_golden_outputs[MODEL_GOLDEN_COUNT][MODEL_OUTPUT_BYTES];

#ifdef __cplusplus
}
#endif

#endif /* MODEL_GOLDEN_H_ */
