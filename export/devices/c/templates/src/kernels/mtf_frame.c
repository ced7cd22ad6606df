/* See mtf_frame.h. Written by mobilenet_tf. */
#include "mtf_frame.h"

#include <stddef.h>
#include <string.h>

enum {
  BITS = 22,                /* of the weights' fractions */
  STEPS = 32,               /* of MediaPipe's positions, in a pixel */
  HALF = STEPS * STEPS / 2, /* of the weights' sum */
};

/* One axis: `in` pixels of the frame from `from` on become `out` values of the input from `to` on. */
typedef struct {
  int from, in, to, out;
} axis;

/* The weights of one value: of the pixels `first` to `first + count - 1`. */
typedef struct {
  int32_t first, count;
  int32_t *weights;
} taps;

static int smaller(int left, int right) { return left < right ? left : right; }

/* Return a / b, rounded to nearest. */
static int divided(int64_t a, int64_t b) { return (int)((2 * a + b) / (2 * b)); }

static int clamped(int value) { return value < 0 ? 0 : value > 255 ? 255 : value; }

static void centre(int whole, int part, int *from, int *size) {
  *size = smaller(part < 1 ? 1 : part, whole);
  *from = (whole - *size) / 2;
}

/* Find which part of the frame lands where in the input. */
static void place(const mtf_frame *frame, const mtf_input *input, axis *x, axis *y) {
  const int64_t wide = (int64_t)frame->width * input->height;
  const int64_t high = (int64_t)frame->height * input->width;
  if (input->fit == MTF_CROP) {
    const int64_t least = (wide < high ? wide : high) * input->crop;
    centre(frame->width, divided(least, (int64_t)input->of * input->height), &x->from, &x->in);
    centre(frame->height, divided(least, (int64_t)input->of * input->width), &y->from, &y->in);
  } else {
    centre(frame->width, divided((int64_t)frame->width * input->crop, input->of), &x->from, &x->in);
    centre(frame->height, divided((int64_t)frame->height * input->crop, input->of), &y->from,
           &y->in);
  }
  x->to = y->to = 0;
  x->out = input->width;
  y->out = input->height;
  if (input->fit == MTF_PAD) {
    const int64_t across = (int64_t)input->width * y->in, down = (int64_t)input->height * x->in;
    if (across < down) {
      centre(input->height, divided(across, x->in), &y->to, &y->out);
    } else {
      centre(input->width, divided(down, y->in), &x->to, &x->out);
    }
  }
}

/* Half the width of the filter, in units of half a pixel divided by `out`. */
static int reach(const axis *side) { return 2 * (side->in > side->out ? side->in : side->out); }

static int most_taps(const axis *side) { return reach(side) / side->out + 1; }

/* Pillow's triangle: each pixel counts by its distance from the value's centre, in whole numbers. */
static void find_taps(const axis *side, int at, taps *found) {
  const int most = reach(side), centre_at = (2 * at + 1) * side->in;
  int64_t sum = 0;
  int pixel = (centre_at - most) / (2 * side->out) - 1;
  pixel = pixel < 0 ? 0 : pixel;
  found->count = 0;
  for (; pixel < side->in; ++pixel) {
    const int offset = (2 * pixel + 1) * side->out - centre_at;
    const int weight = most - (offset < 0 ? -offset : offset);
    if (weight > 0) {
      if (found->count == 0) {
        found->first = pixel;
      }
      found->weights[found->count++] = weight;
      sum += weight;
    } else if (offset > 0) {
      break;
    }
  }
  for (int i = 0; i < found->count; ++i) {
    found->weights[i] = divided((int64_t)found->weights[i] << BITS, sum);
  }
}

static void from_565(unsigned int value, uint8_t *rgb) {
  const unsigned int red = value >> 11, green = (value >> 5) & 63, blue = value & 31;
  rgb[0] = (uint8_t)(red << 3 | red >> 2);
  rgb[1] = (uint8_t)(green << 2 | green >> 4);
  rgb[2] = (uint8_t)(blue << 3 | blue >> 2);
}

/* As libjpeg. */
static void from_yuv(int luma, int u, int v, uint8_t *rgb) {
  const int32_t blue = u - 128, red = v - 128;
  rgb[0] = (uint8_t)clamped(luma + (int)((91881 * red + 32768) >> 16));
  rgb[1] = (uint8_t)clamped(luma + (int)((-22554 * blue - 46802 * red + 32768) >> 16));
  rgb[2] = (uint8_t)clamped(luma + (int)((116130 * blue + 32768) >> 16));
}

/* Unpack `count` pixels of a row: one byte of grey, or three of colour. */
static void unpack(const mtf_frame *frame, int row, int from, int count, uint8_t *pixels) {
  const size_t start = (size_t)row * (size_t)frame->width;
  for (int column = from; column < from + count; ++column) {
    const size_t at = start + (size_t)column;
    const uint8_t *const pair = frame->pixels + 2 * at;
    const uint8_t *const two = frame->pixels + 2 * (at - at % 2); /* pixels, which share U and V */
    switch (frame->format) {
      case MTF_GREY:
        *pixels++ = frame->pixels[at];
        continue;
      case MTF_RGB888:
        memcpy(pixels, frame->pixels + 3 * at, 3);
        break;
      case MTF_RGB565:
        from_565(pair[0] | (unsigned int)pair[1] << 8, pixels);
        break;
      case MTF_RGB565_MSB:
        from_565(pair[1] | (unsigned int)pair[0] << 8, pixels);
        break;
      case MTF_YUYV:
        from_yuv(pair[0], two[1], two[3], pixels);
        break;
      case MTF_UYVY:
        from_yuv(pair[1], two[0], two[2], pixels);
        break;
    }
    pixels += 3;
  }
}

static int depth_of(const mtf_frame *frame) { return frame->format == MTF_GREY ? 1 : 3; }

int32_t mtf_frame_scratch(const mtf_frame *frame, const mtf_input *input) {
  axis x, y;
  if (input->resize == MTF_MEDIAPIPE) {
    return 0;
  }
  place(frame, input, &x, &y);
  /* The table of columns, the taps of one row, the ring of rows, and a row before or after it. */
  const int32_t numbers = x.out * (most_taps(&x) + 2) + most_taps(&y);
  const int32_t pixels = x.out * most_taps(&y) + (x.in > x.out ? x.in : x.out);
  return (int32_t)sizeof(int32_t) * numbers + pixels * depth_of(frame);
}

/* Write one row of the input from `depth` values for each of its pixels. */
static void store(const mtf_input *input, int depth, const uint8_t *values, int count,
                  int8_t *image) {
  for (int i = 0; i < count; ++i) {
    const uint8_t *const value = values + i * depth;
    if (input->channels == 1 && depth == 3) {
      const int32_t grey = 19595 * value[0] + 38470 * value[1] + 7471 * value[2];
      *image++ = (int8_t)(((grey + 32768) >> 16) - 128);
      continue;
    }
    for (int channel = 0; channel < input->channels; ++channel) {
      *image++ = (int8_t)(value[depth == 1 ? 0 : channel] - 128);
    }
  }
}

/* The two pixels of an axis that a value lies between, and the share of the second in 1/32. */
static void find_pair(const axis *side, int at, int *pair, int *part) {
  const int64_t position = (int64_t)at * side->in * STEPS;
  const int rest = 2 * (int)(position % side->out);
  int steps = (int)(position / side->out);
  if (rest > side->out || (rest == side->out && steps % 2 == 1)) {
    ++steps; /* a half goes to the even step */
  }
  pair[0] = smaller(steps / STEPS, side->in - 1);
  pair[1] = smaller(pair[0] + 1, side->in - 1);
  *part = steps % STEPS;
}

/* Each value is interpolated between four pixels, and rounded once. */
static void interpolate(const mtf_frame *frame, const mtf_input *input, const axis *x,
                        const axis *y, int8_t *image) {
  const int depth = depth_of(frame);
  for (int row = 0; row < y->out; ++row) {
    int rows[2], down;
    find_pair(y, row, rows, &down);
    for (int column = 0; column < x->out; ++column) {
      int columns[2], across;
      int32_t sums[3] = {HALF, HALF, HALF};
      uint8_t value[3];
      find_pair(x, column, columns, &across);
      for (int i = 0; i < 4; ++i) {
        const int weight = (i / 2 ? down : STEPS - down) * (i % 2 ? across : STEPS - across);
        unpack(frame, y->from + rows[i / 2], x->from + columns[i % 2], 1, value);
        for (int channel = 0; channel < depth; ++channel) {
          sums[channel] += weight * value[channel];
        }
      }
      for (int channel = 0; channel < depth; ++channel) {
        value[channel] = (uint8_t)(sums[channel] / (STEPS * STEPS));
      }
      store(input, depth, value, 1,
            image + ((y->to + row) * input->width + x->to + column) * input->channels);
    }
  }
}

/* Resize one row of pixels. `table` has first, count and weights for each value. */
static void resize_row(const axis *x, int depth, const int32_t *table, const uint8_t *line,
                       uint8_t *row) {
  const int step = most_taps(x) + 2;
  for (int at = 0; at < x->out; ++at, table += step) {
    for (int channel = 0; channel < depth; ++channel) {
      const uint8_t *pixel = line + table[0] * depth + channel;
      int32_t sum = 1 << (BITS - 1);
      for (int i = 0; i < table[1]; ++i) {
        sum += table[2 + i] * *pixel;
        pixel += depth;
      }
      *row++ = (uint8_t)clamped(sum >> BITS);
    }
  }
}

int mtf_prepare(const mtf_frame *frame, const mtf_input *input, int8_t *image,
                mtf_scratch scratch) {
  axis x, y;
  if (frame == NULL || frame->pixels == NULL || image == NULL) {
    return MTF_NULL_POINTER;
  }
  if (mtf_frame_scratch(frame, input) > scratch.bytes) {
    return MTF_SMALL_SCRATCH;
  }
  place(frame, input, &x, &y);
  memset(image, input->fill - 128, (size_t)(input->height * input->width * input->channels));
  if (input->resize == MTF_MEDIAPIPE) {
    interpolate(frame, input, &x, &y, image);
    return MTF_OK;
  }
  const int depth = depth_of(frame), step = most_taps(&x) + 2, slots = most_taps(&y);
  int32_t *const table = (int32_t *)scratch.data;
  int32_t *const vertical = table + x.out * step;
  uint8_t *const ring = (uint8_t *)(vertical + slots); /* the last resized rows */
  const int resized = x.out * depth;
  uint8_t *const line = ring + slots * resized;
  for (int at = 0; at < x.out; ++at) {
    taps found = {0, 0, table + at * step + 2};
    find_taps(&x, at, &found);
    table[at * step] = found.first;
    table[at * step + 1] = found.count;
  }
  int ready = 0; /* rows that have been resized */
  for (int at = 0; at < y.out; ++at) {
    taps found = {0, 0, vertical};
    find_taps(&y, at, &found);
    ready = ready < found.first ? found.first : ready;
    for (; ready < found.first + found.count; ++ready) {
      unpack(frame, y.from + ready, x.from, x.in, line);
      resize_row(&x, depth, table, line, ring + ready % slots * resized);
    }
    for (int i = 0; i < resized; ++i) {
      int32_t sum = 1 << (BITS - 1);
      for (int tap = 0; tap < found.count; ++tap) {
        sum += found.weights[tap] * ring[(found.first + tap) % slots * resized + i];
      }
      line[i] = (uint8_t)clamped(sum >> BITS); /* the unpacked row is not needed any more */
    }
    store(input, depth, line, x.out, image + ((y.to + at) * input->width + x.to) * input->channels);
  }
  return MTF_OK;
}
