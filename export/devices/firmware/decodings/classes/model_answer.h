/* What the outputs of the network mean: its likeliest classes. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_TOP $top

/* Score that the likeliest class must reach; otherwise the picture shows none of them. */
#define MODEL_THRESHOLD $threshold

/* The likeliest classes, the first of equal ones first, and their scores. */
typedef struct {
  int16_t labels[MODEL_TOP]; /* places in model_labels */
  float scores[MODEL_TOP];
  uint8_t accepted; /* whether the first score reaches MODEL_THRESHOLD */
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return whether classes and acceptance are the same, and scores within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
