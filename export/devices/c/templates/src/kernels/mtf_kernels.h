/* Integer kernels of neural networks in C99, written by mobilenet_tf.
 *
 * They compute what TensorFlow Lite Micro's reference kernels compute, bit for bit. Tensors are
 * int8 with the layout height, width, channels; real = (integer - zero point) * scale.
 *
 * No function uses the heap or keeps a state. Those that may need scratch return MTF_OK or an error.
 * The folders of several models have the same kernels: add each file to a firmware once.
 *
 * With MTF_CMSIS_NN defined, convolutions call Arm's CMSIS-NN, which needs `scratch`.
 */
#ifndef MTF_KERNELS_H_
#define MTF_KERNELS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  MTF_OK = 0,
  MTF_NULL_POINTER = 1,  /* an argument is NULL */
  MTF_SMALL_SCRATCH = 2, /* a kernel of CMSIS-NN needs more scratch than the arena has */
  MTF_KERNEL_REFUSED = 3 /* a kernel of CMSIS-NN refused its arguments */
};

/* The kernels that this compilation uses: portable C, or CMSIS-NN for cores without and with vector
 * instructions, which need different scratch. */
#define MTF_PORTABLE 0
#define MTF_DSP 1
#define MTF_MVE 2
#ifndef MTF_CMSIS_NN
#define MTF_KERNELS MTF_PORTABLE
#elif defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define MTF_KERNELS MTF_MVE
#else
#define MTF_KERNELS MTF_DSP
#endif

/* CMSIS-NN reads shifts as int32. */
#ifdef MTF_CMSIS_NN
typedef int32_t mtf_shift;
#else
typedef int8_t mtf_shift;
#endif

/* Memory that a kernel may overwrite while it runs. */
typedef struct {
  void *data;
  int32_t bytes;
} mtf_scratch;

/* A window that moves over the input. */
typedef struct {
  int16_t in_height, in_width, channels;
  int16_t out_height, out_width;
  int16_t height, width; /* of the window */
  int16_t stride_y, stride_x;
  int16_t top, left; /* padding before the first row and column */
} mtf_window;

/* From the sums of products to int8: a bias, multiplier and shift for each channel. */
typedef struct {
  const int32_t *bias;
  const int32_t *multipliers;
  const mtf_shift *shifts;
  int16_t zero_point;
  int16_t low, high;
} mtf_rescaling;

/* A convolution with a 1x1 kernel, or a fully connected layer. Weights: output, input channel.
 * The input's zero point is contained in the bias. */
typedef struct {
  const int8_t *weights;
  mtf_rescaling output;
  int32_t pixels;
  int16_t in_channels, out_channels;
} mtf_pointwise_layer;

/* The same with weights of 4 bits, two in a byte, the first one low. The number of input channels is
 * even. It has no form in CMSIS-NN and needs no scratch. */
typedef struct {
  const uint8_t *weights;
  mtf_rescaling output;
  int32_t pixels;
  int16_t in_channels, out_channels;
} mtf_pointwise_int4_layer;

/* Weights: output channel, row, column, input channel. */
typedef struct {
  const int8_t *weights;
  mtf_rescaling output;
  mtf_window window;
  int16_t out_channels;
  int16_t input_zero_point;
} mtf_convolution_layer;

/* Weights: row, column, channel. */
typedef struct {
  const int8_t *weights;
  mtf_rescaling output;
  mtf_window window;
  int16_t input_zero_point;
} mtf_depthwise_layer;

/* A depthwise convolution whose taps lie `dilation` rows and columns apart. */
typedef struct {
  const int8_t *weights;
  mtf_rescaling output;
  mtf_window window;
  int16_t input_zero_point;
  int16_t dilation_y, dilation_x;
} mtf_dilated_layer;

typedef struct {
  mtf_window window;
  int16_t low, high;
} mtf_pool_layer;

/* An operand of `rows` times `columns` values; a step of 0 repeats its values. */
typedef struct {
  int32_t row_step;
  int16_t column_step;
  int16_t zero_point;
  int32_t multiplier; /* of mtf_add */
  int8_t shift;
} mtf_operand;

typedef struct {
  mtf_operand first, second;
  int32_t rows;
  int32_t columns;
  int32_t multiplier;
  int8_t shift;
  int16_t zero_point;
  int16_t low, high;
} mtf_binary_layer;

/* The mean of each channel over all pixels. */
typedef struct {
  int32_t pixels;
  int32_t offset; /* pixels times the input's zero point */
  int16_t channels;
  int32_t multiplier;
  int8_t shift;
  int16_t zero_point;
} mtf_mean_layer;

typedef struct {
  int16_t in_height, in_width, channels;
  int16_t top, bottom, left, right;
  int16_t zero_point;
} mtf_pad_layer;

/* Softmax of each row. */
typedef struct {
  int32_t rows;
  int32_t classes;
  int32_t multiplier;
  int8_t shift;
  int32_t least; /* differences from the maximum below this have a share of 0 */
} mtf_softmax_layer;

/* Copies `bytes` of each row, into rows that are longer. */
typedef struct {
  int32_t rows;
  int32_t bytes;
  int32_t out_step;
} mtf_copy_layer;

/* To twice the height and the width. */
typedef struct {
  int16_t in_height, in_width, channels;
} mtf_upsample_layer;

/* output[i] = table[input[i] + 128] */
typedef struct {
  const int8_t *table;
  int32_t count;
} mtf_table_layer;

/* A kernel of `count` values that is stored encoded, in bits from the most significant one on. Here
 * each value is an index of `width` bits into the table of its channel. The channels follow one
 * another, each with `run` values, from the first to the last and again from the first. */
typedef struct {
  const uint8_t *encoded;
  const int8_t *tables;
  int32_t count, run;
  int16_t channels;
  uint8_t width, stride; /* the latter from a channel's table to the next one's */
} mtf_unpack_lut_layer;

/* A bit for each value says whether it is 0 or the next one of `values`. */
typedef struct {
  const uint8_t *encoded;
  const int8_t *values;
  int32_t count;
} mtf_unpack_prune_layer;

/* Huffman codes. The first table is for `first` bits. */
typedef struct {
  const uint8_t *encoded;
  const uint16_t *tables;
  int32_t count;
  uint8_t first;
} mtf_unpack_huffman_layer;

/* Each index of `width` bits stands for `length` values of the codebook. */
typedef struct {
  const uint8_t *encoded;
  const int8_t *codebook;
  int32_t count;
  uint8_t width, length;
} mtf_unpack_pq_layer;

/* A hash of its number says which of `size` int8 values each is, and with which sign. */
typedef struct {
  const uint8_t *encoded;
  int32_t count, start; /* the latter is the number of the first one in the whole kernel */
  int32_t size;
} mtf_unpack_hash_layer;

int mtf_pointwise(const mtf_pointwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch);
void mtf_pointwise_int4(const mtf_pointwise_int4_layer *layer, const int8_t *input,
                        int8_t *output);
int mtf_convolution(const mtf_convolution_layer *layer, const int8_t *input, int8_t *output,
                    mtf_scratch scratch);
int mtf_depthwise(const mtf_depthwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch);
void mtf_dilated(const mtf_dilated_layer *layer, const int8_t *input, int8_t *output);
void mtf_average_pool(const mtf_pool_layer *layer, const int8_t *input, int8_t *output);
void mtf_max_pool(const mtf_pool_layer *layer, const int8_t *input, int8_t *output);
void mtf_add(const mtf_binary_layer *layer, const int8_t *first, const int8_t *second,
             int8_t *output);
void mtf_multiply(const mtf_binary_layer *layer, const int8_t *first, const int8_t *second,
                  int8_t *output);
void mtf_mean(const mtf_mean_layer *layer, const int8_t *input, int8_t *output);
void mtf_pad(const mtf_pad_layer *layer, const int8_t *input, int8_t *output);
void mtf_softmax(const mtf_softmax_layer *layer, const int8_t *input, int8_t *output);
void mtf_copy(const mtf_copy_layer *layer, const int8_t *input, int8_t *output);
void mtf_table(const mtf_table_layer *layer, const int8_t *input, int8_t *output);
void mtf_upsample(const mtf_upsample_layer *layer, const int8_t *input, int8_t *output);
void mtf_unpack_lut(const mtf_unpack_lut_layer *layer, int8_t *output);
void mtf_unpack_prune(const mtf_unpack_prune_layer *layer, int8_t *output);
void mtf_unpack_huffman(const mtf_unpack_huffman_layer *layer, int8_t *output);
void mtf_unpack_pq(const mtf_unpack_pq_layer *layer, int8_t *output);
void mtf_unpack_hash(const mtf_unpack_hash_layer *layer, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif /* MTF_KERNELS_H_ */
