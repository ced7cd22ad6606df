/* The convolutions of mtf_kernels.h through Arm's CMSIS-NN. Written by mobilenet_tf.
 *
 * A kernel with too little scratch would overwrite the tensors behind it and still return success,
 * so the linked CMSIS-NN is asked how much it needs.
 */
#include "mtf_kernels.h"

/* Without CMSIS-NN this file is empty but for a declaration, which C requires. */
typedef int mtf_not_empty;

#ifdef MTF_CMSIS_NN

#include "arm_nnfunctions.h"

static cmsis_nn_dims sides(int height, int width, int channels) {
  cmsis_nn_dims dims;
  dims.n = 1;
  dims.h = height;
  dims.w = width;
  dims.c = channels;
  return dims;
}

static cmsis_nn_tile tile(int height, int width) {
  cmsis_nn_tile result;
  result.h = height;
  result.w = width;
  return result;
}

static cmsis_nn_per_channel_quant_params quantization(const mtf_rescaling *output) {
  cmsis_nn_per_channel_quant_params params;
  params.multiplier = (int32_t *)output->multipliers; /* CMSIS-NN only reads them */
  params.shift = (int32_t *)output->shifts;
  return params;
}

static cmsis_nn_context context(mtf_scratch scratch) {
  cmsis_nn_context result;
  result.buf = scratch.data;
  result.size = scratch.bytes;
  return result;
}

static int convolve(const cmsis_nn_conv_params *params, const mtf_rescaling *output,
                    const cmsis_nn_dims dims[3], const int8_t *input, const int8_t *weights,
                    int8_t *result, mtf_scratch scratch) {
  const cmsis_nn_per_channel_quant_params quant = quantization(output);
  const cmsis_nn_context working = context(scratch);
  const cmsis_nn_dims bias = sides(1, 1, dims[2].c);
  if (arm_convolve_wrapper_s8_get_buffer_size(params, &dims[0], &dims[1], &dims[2]) >
      scratch.bytes) {
    return MTF_SMALL_SCRATCH;
  }
  return arm_convolve_wrapper_s8(&working, params, &quant, &dims[0], input, &dims[1], weights,
                                 &bias, output->bias, &dims[2],
                                 result) == ARM_CMSIS_NN_SUCCESS
             ? MTF_OK
             : MTF_KERNEL_REFUSED;
}

int mtf_pointwise(const mtf_pointwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const mtf_rescaling *const rescaling = &layer->output;
  cmsis_nn_dims dims[3]; /* of input, kernel and output */
  cmsis_nn_conv_params params;
  dims[0] = sides(1, layer->pixels, layer->in_channels);
  dims[1] = sides(1, 1, layer->in_channels);
  dims[2] = sides(1, layer->pixels, layer->out_channels);
  params.input_offset = 0; /* contained in the bias */
  params.output_offset = rescaling->zero_point;
  params.activation.min = rescaling->low;
  params.activation.max = rescaling->high;
  params.stride = params.dilation = tile(1, 1);
  params.padding = tile(0, 0);
  return convolve(&params, rescaling, dims, input, layer->weights, output, scratch);
}

int mtf_convolution(const mtf_convolution_layer *layer, const int8_t *input, int8_t *output,
                    mtf_scratch scratch) {
  const mtf_window *const window = &layer->window;
  const mtf_rescaling *const rescaling = &layer->output;
  cmsis_nn_dims dims[3]; /* of input, kernel and output */
  cmsis_nn_conv_params params;
  dims[0] = sides(window->in_height, window->in_width, window->channels);
  dims[1] = sides(window->height, window->width, window->channels);
  dims[2] = sides(window->out_height, window->out_width, layer->out_channels);
  params.input_offset = -layer->input_zero_point;
  params.output_offset = rescaling->zero_point;
  params.activation.min = rescaling->low;
  params.activation.max = rescaling->high;
  params.stride = tile(window->stride_y, window->stride_x);
  params.padding = tile(window->top, window->left);
  params.dilation = tile(1, 1);
  return convolve(&params, rescaling, dims, input, layer->weights, output, scratch);
}

int mtf_depthwise(const mtf_depthwise_layer *layer, const int8_t *input, int8_t *output,
                  mtf_scratch scratch) {
  const mtf_window *const window = &layer->window;
  const mtf_rescaling *const rescaling = &layer->output;
  const cmsis_nn_dims from = sides(window->in_height, window->in_width, window->channels);
  const cmsis_nn_dims kernel = sides(window->height, window->width, window->channels);
  const cmsis_nn_dims to = sides(window->out_height, window->out_width, window->channels);
  const cmsis_nn_dims bias = sides(1, 1, window->channels);
  const cmsis_nn_per_channel_quant_params quant = quantization(rescaling);
  const cmsis_nn_context working = context(scratch);
  cmsis_nn_dw_conv_params params;
  params.input_offset = -layer->input_zero_point;
  params.output_offset = rescaling->zero_point;
  params.activation.min = rescaling->low;
  params.activation.max = rescaling->high;
  params.ch_mult = 1;
  params.stride = tile(window->stride_y, window->stride_x);
  params.padding = tile(window->top, window->left);
  params.dilation = tile(1, 1);
  if (arm_depthwise_conv_wrapper_s8_get_buffer_size(&params, &from, &kernel, &to) >
      scratch.bytes) {
    return MTF_SMALL_SCRATCH;
  }
  return arm_depthwise_conv_wrapper_s8(&working, &params, &quant, &from, input, &kernel,
                                       layer->weights, &bias, rescaling->bias, &to,
                                       output) == ARM_CMSIS_NN_SUCCESS
             ? MTF_OK
             : MTF_KERNEL_REFUSED;
}

#endif
