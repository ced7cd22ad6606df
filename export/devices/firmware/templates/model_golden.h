/* Pictures, their scores and what these mean, for a self-test on the device.
 *
 * Written by mobilenet_tf. They are constants of $golden_bytes bytes and more, which a linker leaves
 * out where nothing uses them.
 */
#ifndef MODEL_GOLDEN_H_
#define MODEL_GOLDEN_H_

#include <stdint.h>

#include "model_answer.h"
#include "model_io.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_GOLDEN_COUNT $golden_count

extern const int8_t model_golden_inputs[MODEL_GOLDEN_COUNT][MODEL_INPUT_BYTES];
extern const int8_t model_golden_outputs[MODEL_GOLDEN_COUNT][MODEL_OUTPUT_BYTES];
extern const model_answer model_golden_answers[MODEL_GOLDEN_COUNT];

#ifdef __cplusplus
}
#endif

#endif /* MODEL_GOLDEN_H_ */
