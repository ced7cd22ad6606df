/* $title
 *
 * Written by mobilenet_tf. A network as plain C: int8 arithmetic, no interpreter, no heap. Input:
 * $width x $height pixels, $colours, row by row. The functions share one arena: do not call them
 * from several threads at the same time. The errors of model_invoke() are those of mtf_kernels.h.
 */
#ifndef MODEL_H_
#define MODEL_H_

#include "kernels/mtf_kernels.h"
#include "model_io.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Working memory, a static array of model.c. It holds the input, all activations, decoded weights
 * and the scratch of the kernels, and nothing else. */
#if MTF_KERNELS == MTF_PORTABLE
#define MODEL_ARENA_BYTES $arena_portable
#elif MTF_KERNELS == MTF_DSP
#define MODEL_ARENA_BYTES $arena_dsp
#else
#define MODEL_ARENA_BYTES $arena_mve
#endif

/* The part of it in which the largest weights that are stored encoded lie while they are in use. */
#define MODEL_DECODED_BYTES $decoded_bytes

/* Return the part of the arena that nothing uses before model_invoke. */
mtf_scratch model_workspace(void);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_H_ */
