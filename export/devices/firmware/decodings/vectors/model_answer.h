/* What the outputs of the network mean: a vector. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_DIMENSION $values
$threshold_lines
/* A vector of length 1. */
typedef struct {
  float vector[MODEL_DIMENSION];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return how similar two pictures are, from -1 to 1: the cosine of the angle of their vectors. */
float model_similarity(const model_answer *one, const model_answer *other);

/* Return whether all values are within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
