/* $title
 *
 * The weights, and one call for each operator. Written by mobilenet_tf; see model.h.
 */
#include "model.h"

#include <stddef.h>

/* Where weights and arena lie: define these as attributes of your compiler, such as
 * -D'MODEL_ARENA=__attribute__((section(".dtcm")))'. */
#ifndef MODEL_WEIGHTS
#define MODEL_WEIGHTS
#endif
#ifndef MODEL_ARENA
#define MODEL_ARENA
#endif
#define WEIGHTS MODEL_WEIGHTS

#if defined(__GNUC__) || defined(__clang__)
#define ALIGNED __attribute__((aligned(16)))
#else
#define ALIGNED
#endif

#define TRY(call)             \
  do {                        \
    const int error = (call); \
    if (error != MTF_OK) {    \
      return error;           \
    }                         \
  } while (0)

/* Offsets of tensors and of the operators' scratch in the arena, and bytes of the latter. */
$offsets

static int8_t arena[MODEL_ARENA_BYTES] ALIGNED MODEL_ARENA;

$arrays

$layers

const char *const model_labels[MODEL_CLASSES] = {
$labels
};

int8_t *model_input(void) { return arena + $input_offset; }

static mtf_scratch part_of_arena(int32_t offset, int32_t bytes) {
  mtf_scratch scratch;
  scratch.data = arena + offset;
  scratch.bytes = bytes;
  return scratch;
}

mtf_scratch model_workspace(void) { return part_of_arena(WORKSPACE, BYTES_WORKSPACE); }

#define SCRATCH(step) part_of_arena(SCRATCH_##step, BYTES_##step)

int model_invoke(const int8_t *image, int8_t *scores) {
  if (image == NULL || scores == NULL) {
    return MTF_NULL_POINTER;
  }
$calls
  return MTF_OK;
}
