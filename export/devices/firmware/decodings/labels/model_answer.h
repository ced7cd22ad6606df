/* What the outputs of the network mean: the labels of a picture. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For each of model_labels, whether its probability reaches its threshold, and the probability. */
typedef struct {
  uint8_t predicted[$values];
  float probabilities[$values];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return whether the labels are the same, and probabilities within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
