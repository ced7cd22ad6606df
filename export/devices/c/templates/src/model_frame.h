/* From a camera's frame to the input of model.h, as in training. Written by mobilenet_tf. */
#ifndef MODEL_FRAME_H_
#define MODEL_FRAME_H_

#include "kernels/mtf_frame.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write a frame into model_input(), with the rest of the arena as scratch. Then call
 * model_invoke(model_input(), scores).
 *
 * Return 0, or MTF_SMALL_SCRATCH if the frame is too large for the rest of the arena. */
int model_prepare(const mtf_frame *frame);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_FRAME_H_ */
