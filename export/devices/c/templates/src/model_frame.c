/* See model_frame.h. Written by mobilenet_tf. */
#include "model_frame.h"

int model_prepare(const mtf_frame *frame) {
  static const mtf_input input = {
      MODEL_HEIGHT, MODEL_WIDTH, MODEL_CHANNELS, $fit, $crop, $crop_of, $fill, $resize};
  return mtf_prepare(frame, &input, model_input(), model_workspace());
}
