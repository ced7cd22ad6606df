/* $title
 *
 * Input and outputs of the network: sizes, quantization, labels. Written by mobilenet_tf.
 */
#ifndef MODEL_IO_H_
#define MODEL_IO_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* $width x $height pixels, $colours, row by row. */
#define MODEL_WIDTH $width
#define MODEL_HEIGHT $height
#define MODEL_CHANNELS $channels
#define MODEL_INPUT_BYTES (MODEL_WIDTH * MODEL_HEIGHT * MODEL_CHANNELS)
#define MODEL_CLASSES $classes
#define MODEL_OUTPUTS $outputs
#define MODEL_OUTPUT_SIZES {$output_sizes} /* bytes of each output */
#define MODEL_OUTPUT_BYTES $output_bytes   /* of all outputs, one after the other */

/* real = (integer - zero point) * scale. The input's integer is the pixel (0..255) - 128. */
#define MODEL_INPUT_SCALE $input_scale
#define MODEL_INPUT_ZERO_POINT ($input_zero_point)
$output_grids

extern const char *const model_labels[MODEL_CLASSES];

/* Return where an image has room: MODEL_INPUT_BYTES values, which model_invoke overwrites. NULL if
 * the network cannot run here. */
int8_t *model_input(void);

/* Compute MODEL_OUTPUT_BYTES scores, those of all outputs one after the other, from an image of
 * MODEL_INPUT_BYTES values, pixel - 128: model_input(), or a buffer of your own, which stays as it
 * is. model_decode() of model_answer.h says what the scores mean.
 *
 * Return 0, or an error, and then scores have no meaning. */
int model_invoke(const int8_t *image, int8_t *scores);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_IO_H_ */
