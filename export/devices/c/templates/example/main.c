/* A firmware that classifies its golden pictures. Written by mobilenet_tf; adapt it to your board.
 *
 * It returns 0 only if all scores are those that mobilenet_tf verified. */
#include <inttypes.h>
#include <stdio.h>

#include "cycles.h"
#include "model.h"
#include "model_golden.h"

enum { PAINT = 0x5A };

/* The unused memory below the stack; see sections.ld. */
extern uint8_t bss_end[];

static uint8_t *unused_stack(void) {
  return bss_end + 4096; /* printf's heap begins at bss_end */
}

/* Fill the stack's free memory, and return where that ends. */
static uint8_t *paint_stack(void) {
  uint8_t *const frame = (uint8_t *)__builtin_frame_address(0) - 64;
  for (volatile uint8_t *at = unused_stack(); at < frame; ++at) {
    *at = PAINT;
  }
  return frame;
}

static int best_of(const int8_t *scores) {
  int best = 0;
  for (int index = 1; index < MODEL_CLASSES; ++index) {
    if (scores[index] > scores[best]) {
      best = index;
    }
  }
  return best;
}

static long stack_below(const uint8_t *top) {
  const uint8_t *at = unused_stack();
  while (at < top && *at == PAINT) {
    ++at;
  }
  return (long)(top - at);
}

int main(void) {
  int wrong = 0;
  printf("arena %d bytes\n", MODEL_ARENA_BYTES);
  for (int picture = 0; picture < MODEL_GOLDEN_COUNT; ++picture) {
    int8_t scores[MODEL_CLASSES];
    const uint8_t *const top = paint_stack();
    cycles_start();
    const int error = model_invoke(model_golden_inputs[picture], scores);
    const uint64_t cycles = cycles_stop();
    const long stack = stack_below(top);
    if (error != 0) {
      printf("picture %d: error %d\n", picture + 1, error);
      return 2;
    }
    int differences = 0;
    printf("picture %d: %" PRIu32 " thousand cycles, stack %ld bytes, scores", picture + 1,
           (uint32_t)(cycles / 1000), stack);
    for (int index = 0; index < MODEL_CLASSES; ++index) {
      if (MODEL_CLASSES <= 10) {
        printf(" %d", scores[index]);
      }
      differences += scores[index] != model_golden_outputs[picture][index];
    }
    printf(", %s: %s\n", model_labels[best_of(scores)], differences ? "WRONG" : "as verified");
    wrong += differences != 0;
  }
  printf("%d of %d pictures have the verified scores\n", MODEL_GOLDEN_COUNT - wrong,
         MODEL_GOLDEN_COUNT);
  return wrong != 0;
}
