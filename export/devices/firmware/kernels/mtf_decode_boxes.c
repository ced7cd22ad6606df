/* From offsets and logits at anchors to boxes. Written by mobilenet_tf. */
#include <math.h>

#include "mtf_decode.h"

/* Return whether a candidate comes before another. No two have the same place. */
static int is_likelier(const mtf_candidate *one, const mtf_candidate *other) {
  return one->logit > other->logit || (one->logit == other->logit && one->place < other->place);
}

/* Move a candidate down to its place in a heap, whose root is the least likely one. */
static void sift_down(mtf_candidate *heap, int32_t count, int32_t at) {
  const mtf_candidate moved = heap[at];
  for (int32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
    if (child + 1 < count && is_likelier(&heap[child], &heap[child + 1])) {
      ++child;
    }
    if (!is_likelier(&moved, &heap[child])) {
      break;
    }
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moved;
}

/* Add a candidate to a heap, in which the least likely of `most` makes room; return their number. */
static int32_t push(mtf_candidate *heap, int32_t count, int32_t most, mtf_candidate added) {
  int32_t at = count;
  if (count == most) {
    if (is_likelier(&added, &heap[0])) {
      heap[0] = added;
      sift_down(heap, count, 0);
    }
    return count;
  }
  for (; at > 0 && is_likelier(&heap[(at - 1) / 2], &added); at = (at - 1) / 2) {
    heap[at] = heap[(at - 1) / 2];
  }
  heap[at] = added;
  return count + 1;
}

/* Put the likeliest first. */
static void sort(mtf_candidate *heap, int32_t count) {
  for (int32_t last = count - 1; last > 0; --last) {
    const mtf_candidate least = heap[0];
    heap[0] = heap[last];
    heap[last] = least;
    sift_down(heap, last, 0);
  }
}

static int32_t anchors_of(const mtf_map *map) {
  return (int32_t)map->height * map->width * map->anchors;
}

/* Find the likeliest logits that are large enough, in order; return their number. */
static int32_t candidates_of(const mtf_detector *detector, const int8_t *outputs,
                             mtf_candidate *candidates) {
  const int32_t logits = detector->skipped + detector->classes; /* of an anchor */
  int32_t count = 0;
  mtf_candidate found;
  found.place = 0;
  for (int16_t number = 0; number < detector->count; ++number) {
    const mtf_map *const map = &detector->maps[number];
    const int32_t anchors = anchors_of(map);
    const int8_t *scores = outputs + 4 * anchors + detector->skipped;
    for (int32_t anchor = 0; anchor < anchors; ++anchor, scores += logits) {
      for (int16_t label = 0; label < detector->classes; ++label, ++found.place) {
        if (scores[label] >= map->least) {
          found.logit = mtf_real(scores[label], map->logit_zero_point, map->logit_scale);
          count = push(candidates, count, detector->compared, found);
        }
      }
    }
    outputs += (4 + logits) * anchors;
  }
  sort(candidates, count);
  return count;
}

static float limited(float edge) { return edge < 0.0f ? 0.0f : edge > 1.0f ? 1.0f : edge; }

/* Return half of a side of a box. */
static float half_side(const mtf_detector *detector, float offset, float anchor) {
  return expf(fminf(offset * detector->side_unit, detector->largest)) * anchor / 2.0f;
}

/* Return the box at a pixel of a map, from the offsets of y, x, height and width. */
static mtf_box moved_anchor(const mtf_detector *detector, const mtf_map *map, int32_t anchor,
                            const float *offsets) {
  const int32_t pixel = anchor / map->anchors;
  const float *const size = map->sizes[anchor % map->anchors];
  const float centre_x = ((float)(pixel % map->width) + 0.5f) / (float)map->width;
  const float centre_y = ((float)(pixel / map->width) + 0.5f) / (float)map->height;
  const float x = offsets[1] * detector->centre_unit * size[0] + centre_x;
  const float y = offsets[0] * detector->centre_unit * size[1] + centre_y;
  const float half_width = half_side(detector, offsets[3], size[0]);
  const float half_height = half_side(detector, offsets[2], size[1]);
  mtf_box box;
  box.left = limited(x - half_width);
  box.top = limited(y - half_height);
  box.right = limited(x + half_width);
  box.bottom = limited(y + half_height);
  return box;
}

static mtf_box box_of(const mtf_detector *detector, const int8_t *outputs,
                      const mtf_candidate *candidate) {
  const mtf_map *map = detector->maps;
  const int32_t values = 4 + detector->skipped + detector->classes; /* of an anchor */
  int32_t anchor = candidate->place / detector->classes;
  float offsets[4];
  mtf_box box;
  for (; anchor >= anchors_of(map); ++map) {
    anchor -= anchors_of(map);
    outputs += values * anchors_of(map);
  }
  for (int32_t index = 0; index < 4; ++index) {
    offsets[index] =
        mtf_real(outputs[4 * anchor + index], map->offset_zero_point, map->offset_scale);
  }
  box = moved_anchor(detector, map, anchor, offsets);
  box.score = mtf_sigmoid(candidate->logit);
  box.label = (int16_t)(candidate->place % detector->classes);
  return box;
}

static float area(const mtf_box *box) {
  return (box->right - box->left) * (box->bottom - box->top);
}

/* Return the intersection over union; 0 if neither has an area. */
static float overlap(const mtf_box *one, const mtf_box *other) {
  const float width = fminf(one->right, other->right) - fmaxf(one->left, other->left);
  const float height = fminf(one->bottom, other->bottom) - fmaxf(one->top, other->top);
  const float inside = fmaxf(width, 0.0f) * fmaxf(height, 0.0f);
  const float together = area(one) + area(other) - inside;
  return together > 0.0f ? inside / together : 0.0f;
}

int16_t mtf_find_boxes(const mtf_detector *detector, const int8_t *outputs,
                       mtf_candidate *candidates, mtf_box *boxes) {
  const int32_t count = candidates_of(detector, outputs, candidates);
  int16_t kept = 0;
  for (int32_t index = 0; index < count && kept < detector->most; ++index) {
    const mtf_box box = box_of(detector, outputs, &candidates[index]);
    int is_duplicate = 0;
    for (int16_t other = 0; other < kept && !is_duplicate; ++other) {
      is_duplicate =
          boxes[other].label == box.label && overlap(&boxes[other], &box) > detector->overlap;
    }
    if (!is_duplicate) {
      boxes[kept++] = box;
    }
  }
  return kept;
}
