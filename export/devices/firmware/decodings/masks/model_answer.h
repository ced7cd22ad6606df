/* What the outputs of the network mean: a class for each pixel. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Width and height of the input: $factor_x and $factor_y times those of the grid of logits. */
#define MODEL_MASK_WIDTH $width
#define MODEL_MASK_HEIGHT $height

/* For each pixel of the input, a place in model_labels. */
typedef struct {
  uint8_t mask[MODEL_MASK_HEIGHT][MODEL_MASK_WIDTH];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values: enlarge the logits bilinearly, and take the first largest. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Decode a single row of the mask, MODEL_MASK_WIDTH values, where memory has no room for all. */
void model_decode_row(const int8_t *outputs, int row, uint8_t *classes);

/* Return whether the masks are equal. No real values are in them for which `tolerance` counts. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
