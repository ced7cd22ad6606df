/* $title
 *
 * Written by mobilenet_tf. A network as plain C: int8 arithmetic, no interpreter, no heap. Input:
 * $width x $height pixels, $colours, row by row. The functions share one arena: do not call them
 * from several threads at the same time.
 */
#ifndef MODEL_H_
#define MODEL_H_

#include <stdint.h>

#include "kernels/mtf_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_WIDTH $width
#define MODEL_HEIGHT $height
#define MODEL_CHANNELS $channels
#define MODEL_INPUT_BYTES (MODEL_WIDTH * MODEL_HEIGHT * MODEL_CHANNELS)
#define MODEL_CLASSES $classes
#define MODEL_OUTPUTS $outputs
#define MODEL_OUTPUT_SIZES {$output_sizes} /* bytes of each output */
#define MODEL_OUTPUT_BYTES $output_bytes   /* of all outputs, one after the other */

/* Working memory, a static array of model.c. It holds the input, all activations and the scratch of
 * the kernels, and nothing else. */
#if MTF_KERNELS == MTF_PORTABLE
#define MODEL_ARENA_BYTES $arena_portable
#elif MTF_KERNELS == MTF_DSP
#define MODEL_ARENA_BYTES $arena_dsp
#else
#define MODEL_ARENA_BYTES $arena_mve
#endif

/* real = (integer - zero point) * scale. The input's integer is the pixel (0..255) - 128. */
#define MODEL_INPUT_SCALE $input_scale
#define MODEL_INPUT_ZERO_POINT ($input_zero_point)
$output_grids

extern const char *const model_labels[MODEL_CLASSES];

/* Return where an image has room in the arena: MODEL_INPUT_BYTES values. model_invoke overwrites
 * them. */
int8_t *model_input(void);

/* Return the part of the arena that nothing uses before model_invoke. */
mtf_scratch model_workspace(void);

/* Compute MODEL_OUTPUT_BYTES scores, those of all outputs one after the other, from an image of
 * MODEL_INPUT_BYTES values, pixel - 128. The image may be model_input(), or a buffer of your own,
 * which stays as it is.
 *
 * Return 0, or another value of mtf_kernels.h, and then scores have no meaning. */
int model_invoke(const int8_t *image, int8_t *scores);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_H_ */
