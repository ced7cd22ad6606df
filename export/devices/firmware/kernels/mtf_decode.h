/* What the outputs of networks mean, in C99, written by mobilenet_tf.
 *
 * Outputs are int8; real = (integer - zero point) * scale. No function uses the heap or keeps a
 * state, all loops are bounded, and real values are single precision. The folders of several models
 * have the same functions: add each file to a firmware once.
 */
#ifndef MTF_DECODE_H_
#define MTF_DECODE_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A box in shares of the network's input: 0 is its left or top edge, 1 its right or bottom edge. */
typedef struct {
  float left, top, right, bottom;
  float score; /* from 0 to 1 */
  int16_t label;
} mtf_box;

/* One feature map of a detector. Its two outputs are the offsets of boxes from anchors (y, x,
 * height, width) and the logits of classes; row by row, pixel by pixel, anchor by anchor. */
typedef struct {
  int16_t height, width;
  int16_t anchors;         /* at each pixel */
  const float (*sizes)[2]; /* width and height of each anchor, in shares of the input */
  float offset_scale, logit_scale;
  int16_t offset_zero_point, logit_zero_point;
  int16_t least; /* smallest logit of a box; 128 if none is large enough */
} mtf_map;

typedef struct {
  const mtf_map *maps;
  int16_t count;     /* of maps */
  int16_t classes;   /* without background */
  int16_t skipped;   /* logits before those of the classes: 1 if there is one for background */
  float overlap;     /* intersection over union above which the less likely box is dropped */
  float centre_unit; /* of the offsets of centres, in sides of the anchor */
  float side_unit;   /* of the offsets of sides, which are logarithms */
  float largest;     /* most that the logarithm of a side over its anchor's can be */
  int16_t compared;  /* number of candidates that suppression compares */
  int16_t most;      /* number of boxes */
} mtf_detector;

/* A class at an anchor. */
typedef struct {
  float logit;
  int32_t place; /* of the logit, among those of all maps */
} mtf_candidate;

/* A grid of logits for each class, which is enlarged to the size of the input. */
typedef struct {
  int16_t height, width, classes;
  int16_t factor_y, factor_x;
} mtf_grid;

/* Write the boxes in `outputs`, the likeliest first, and return their number. Of equal scores, the
 * first anchor and then the first class comes first.
 *
 * `candidates` has room for detector->compared of them, `boxes` for detector->most. */
int16_t mtf_find_boxes(const mtf_detector *detector, const int8_t *outputs,
                       mtf_candidate *candidates, mtf_box *boxes);

/* Write the class of each pixel of a row of the enlarged grid: width * factor_x values.
 *
 * The logits are enlarged bilinearly, with half-pixel centres and repeated edges, in integers. Of
 * equal logits, the first class is taken. */
void mtf_mask_row(const mtf_grid *grid, const int8_t *logits, int32_t row, uint8_t *classes);

/* Write the indices of the `top` largest values, the largest first; of equal ones, the first. */
void mtf_largest(const int8_t *values, int32_t count, int16_t top, int16_t *indices);

/* Write a vector divided by its length; zeros if that is 0. At most 32,768 values. */
void mtf_unit_vector(const int8_t *values, int32_t count, int16_t zero_point, float *vector);

/* Return the cosine of the angle between two vectors of length 1. */
float mtf_similarity(const float *first, const float *second, int32_t count);

/* Write the probabilities of the `top` classes at `indices`, of `count`, at a temperature: p^(1 / T)
 * divided by the sum of all. With the temperature 1, they are the real values as they are. */
void mtf_temper(const int8_t *values, int32_t count, int16_t zero_point, float scale,
                float temperature, const int16_t *indices, int16_t top, float *probabilities);

/* Return 1 / (1 + exp(-logit)). */
float mtf_sigmoid(float logit);

/* Return whether two values differ by at most `tolerance`. */
int mtf_near(float first, float second, float tolerance);

/* Return the real value of an integer. */
float mtf_real(int8_t value, int16_t zero_point, float scale);

#ifdef __cplusplus
}
#endif

#endif /* MTF_DECODE_H_ */
