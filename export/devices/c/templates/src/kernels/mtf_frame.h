/* From a camera's frame to the input of a network, written by mobilenet_tf.
 *
 * This is the preparation of training: crop, resize with Pillow's bilinear filter (rows first, then
 * columns, each rounded to 8 bits), and grey as L = (19595 R + 38470 G + 7471 B + 32768) >> 16. The
 * result is equal to training's for the same RGB picture. Only with MTF_STRETCH, and with MTF_PAD
 * of a frame that becomes a few pixels narrow, it may differ by one grey level: where the height
 * shrinks much more than the width, Pillow 13 begins with the columns. YUV becomes RGB as in libjpeg.
 */
#ifndef MTF_FRAME_H_
#define MTF_FRAME_H_

#include "mtf_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  MTF_GREY,       /* 1 byte per pixel */
  MTF_RGB888,     /* 3 bytes per pixel: red, green, blue */
  MTF_RGB565,     /* 2 bytes per pixel, the low one first */
  MTF_RGB565_MSB, /* the same, the high byte first, as many camera modules send it */
  MTF_YUYV,       /* YUV 4:2:2, full range: Y0 U Y1 V */
  MTF_UYVY        /* the same as U Y0 V Y1 */
} mtf_format;

/* Rows without gaps. The width of YUV frames is even. */
typedef struct {
  const uint8_t *pixels;
  int16_t height, width;
  mtf_format format;
} mtf_frame;

typedef enum {
  MTF_CROP,    /* the largest centred rectangle of the input's shape */
  MTF_STRETCH, /* both axes on their own */
  MTF_PAD      /* the whole frame, and `fill` around it */
} mtf_fit;

typedef enum {
  MTF_BILINEAR, /* anti-aliased, as Pillow */
  MTF_MEDIAPIPE /* interpolated between four pixels, as MediaPipe Tasks */
} mtf_resize;

typedef struct {
  int16_t height, width, channels;
  mtf_fit fit;
  int32_t crop, of; /* the share crop / of is used of what `fit` allows */
  uint8_t fill;
  mtf_resize resize;
} mtf_input;

/* Write a frame as pixel - 128. Return MTF_OK; MTF_NULL_POINTER; or MTF_SMALL_SCRATCH if scratch has
 * fewer bytes than mtf_frame_scratch() returns. */
int mtf_prepare(const mtf_frame *frame, const mtf_input *input, int8_t *image, mtf_scratch scratch);

/* Return the bytes of scratch that mtf_prepare needs. */
int32_t mtf_frame_scratch(const mtf_frame *frame, const mtf_input *input);

#ifdef __cplusplus
}
#endif

#endif /* MTF_FRAME_H_ */
