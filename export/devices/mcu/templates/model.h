/* $title
 *
 * The file for TensorFlow Lite Micro, and its arena. Written by mobilenet_tf.
 */
#ifndef MODEL_H_
#define MODEL_H_

#include "model_io.h"

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

extern const unsigned char model_data[MODEL_BYTES];

#ifdef __cplusplus
}
#endif

#endif /* MODEL_H_ */
