/* What the outputs of the network mean: boxes with a class each. Written by mobilenet_tf. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include "kernels/mtf_decode.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_MOST_BOXES $most

/* The likeliest boxes first; the label of each is a place in model_labels. */
typedef struct {
  int16_t count;
  mtf_box boxes[MODEL_MOST_BOXES];
} model_answer;

/* Decode MODEL_OUTPUT_BYTES values. Boxes have a score of at least $score; one that overlaps a
 * likelier box of its class by more than $overlap is dropped. Candidates are kept in static memory,
 * $candidate_bytes bytes: do not call this from several threads at the same time. */
void model_decode(const int8_t *outputs, model_answer *answer);

/* Return whether the classes of the boxes are the same, and edges and scores within `tolerance`. */
int model_same_answer(const model_answer *one, const model_answer *other, float tolerance);

#ifdef __cplusplus
}
#endif

#endif /* MODEL_ANSWER_H_ */
