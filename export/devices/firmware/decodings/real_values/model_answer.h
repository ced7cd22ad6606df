/* The outputs of the network as real values. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The values of all outputs, one after the other. */
typedef struct {
  float values[$count];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return whether all values are within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
