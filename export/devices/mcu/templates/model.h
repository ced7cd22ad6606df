/* $title
 *
 * Written by mobilenet_tf. Input: $width x $height pixels, $colours, row by row.
 */
#ifndef MODEL_H_
#define MODEL_H_

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_BYTES $bytes

/* Working memory: the smallest arena in which TensorFlow Lite Micro's interpreter ran this file,
 * on a 64-bit machine with the reference kernels. A 32-bit device needs less for pointers. Define
 * MODEL_CMSIS_NN where the interpreter has Arm's kernels, whose scratch is added by their formulas,
 * or MODEL_ARENA_BYTES itself, after a look at model_runner_arena_used() on the device. */
#ifndef MODEL_ARENA_BYTES
#if defined(MODEL_CMSIS_NN) && defined(__ARM_FEATURE_MVE)
#define MODEL_ARENA_BYTES ($arena + $cmsis_m55)
#elif defined(MODEL_CMSIS_NN)
#define MODEL_ARENA_BYTES ($arena + $cmsis_m4)
#else
#define MODEL_ARENA_BYTES $arena
#endif
#endif

#define MODEL_WIDTH $width
#define MODEL_HEIGHT $height
#define MODEL_CHANNELS $channels
#define MODEL_INPUT_BYTES (MODEL_WIDTH * MODEL_HEIGHT * MODEL_CHANNELS)
#define MODEL_CLASSES $classes
#define MODEL_OUTPUTS $outputs
#define MODEL_OUTPUT_SIZES {$output_sizes} /* bytes of each output */
#define MODEL_OUTPUT_BYTES $output_bytes   /* of all outputs */

/* real = (integer - zero point) * scale. The input's integer is the pixel (0..255) - 128. */
#define MODEL_INPUT_SCALE $input_scale
#define MODEL_INPUT_ZERO_POINT ($input_zero_point)
$output_grids

extern const unsigned char model_data[MODEL_BYTES];
extern const char *const model_labels[MODEL_CLASSES];

#ifdef __cplusplus
}
#endif

#endif /* MODEL_H_ */
