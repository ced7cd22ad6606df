/* See model_answer.h. Written by mobilenet_tf. */
#include "model_answer.h"

$sizes

static const mtf_map maps[] = {
$maps
};

static const mtf_detector detector = {
  .maps = maps,
  .count = sizeof maps / sizeof maps[0],
  .classes = $classes,
  .skipped = $background,
  .overlap = $overlap_value,
  .centre_unit = $centre_unit,
  .side_unit = $side_unit,
  .largest = $largest_side,
  .compared = $candidates,
  .most = MODEL_MOST_BOXES
};

static mtf_candidate candidates[$candidates];

void model_decode(const int8_t *outputs, model_answer *answer) {
  answer->count = mtf_find_boxes(&detector, outputs, candidates, answer->boxes);
}

static int is_same(const mtf_box *one, const mtf_box *other, float tolerance) {
  return one->label == other->label && mtf_near(one->score, other->score, tolerance) &&
         mtf_near(one->left, other->left, tolerance) && mtf_near(one->top, other->top, tolerance) &&
         mtf_near(one->right, other->right, tolerance) &&
         mtf_near(one->bottom, other->bottom, tolerance);
}

int model_same_answer(const model_answer *one, const model_answer *other, float tolerance) {
  if (one->count != other->count) {
    return 0;
  }
  for (int index = 0; index < one->count; ++index) {
    if (!is_same(&one->boxes[index], &other->boxes[index], tolerance)) {
      return 0;
    }
  }
  return 1;
}
