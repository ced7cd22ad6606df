/* What the outputs of the network mean: its likeliest cells. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_TOP $top

/* A cell as a circle: its centre in degrees, and the distance from it to the farthest corner. */
typedef struct {
  float latitude, longitude;
  float radius_km;
} model_cell;

extern const model_cell model_cells[$values];

/* The likeliest cells, the first of equal ones first, and their scores. */
typedef struct {
  int16_t cells[MODEL_TOP]; /* places in model_cells and model_labels */
  float scores[MODEL_TOP];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return whether cells are the same, and scores within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
