"""Convolutions that compute the same in training by faster ways, on CPUs.

oneDNN, TensorFlow's library there, is slow at two things that MobileNets are made of: 1x1
convolutions of small maps, squeeze-and-excite's above all, which are matrix products; and the
gradient of 5x5 depthwise kernels, which takes several times as long as four of 3x3. Networks keep
Keras's own layers, in memory and in files; they have these classes only while they are trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras as keras


class _Pointwise(keras.layers.Conv2D):
    """1x1, as a matrix product."""

    def convolution_op(self, inputs, kernel):
        flat = tf.reshape(inputs, (-1, inputs.shape[-1])) @ kernel[0, 0]
        return tf.reshape(flat, (-1, *inputs.shape[1:3], flat.shape[-1]))


class _Depthwise(keras.layers.DepthwiseConv2D):
    """5x5, with a gradient from 3x3 windows."""

    def call(self, inputs):
        outputs = _depthwise(
            inputs, self.depthwise_kernel, (1, *self.strides, 1), self.padding.upper()
        )
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return self.activation(outputs)


def _depthwise(inputs: tf.Tensor, kernel: tf.Tensor, strides: tuple, padding: str) -> tf.Tensor:
    """(N, H, W, C) and (5, 5, C, 1) -> (N, h, w, C)."""

    @tf.custom_gradient
    def convolve(inputs, kernel):
        outputs = tf.nn.depthwise_conv2d(inputs, kernel, strides, padding)

        def gradient(upstream):
            of_inputs = tf.nn.depthwise_conv2d_backprop_input(
                tf.shape(inputs), kernel, upstream, strides, padding
            )
            return of_inputs, _of_kernel(inputs, upstream, strides[1])

        return outputs, gradient

    return convolve(inputs, kernel)


def _of_kernel(inputs: tf.Tensor, upstream: tf.Tensor, stride: int) -> tf.Tensor:
    """Gradient of a 5x5 kernel, (5, 5, C, 1).

    A kernel's tap sees the inputs that are as far from the corner as it is, so nine neighbouring
    taps are the kernel of a 3x3 convolution of inputs without their first rows and columns. Rows
    and columns 0 to 2 and 2 to 4 make up all; those in the middle are there twice.
    """
    reach = [stride * (side - 1) for side in upstream.shape[1:3]]
    # What SAME adds; 0 for VALID.
    missing = [max(0, far + 5 - side) for far, side in zip(reach, inputs.shape[1:3], strict=True)]
    edges = [(total // 2, total - total // 2) for total in missing]
    padded = tf.pad(inputs, ((0, 0), *edges, (0, 0)))

    def window(top: int, left: int) -> tf.Tensor:
        seen = padded[:, top : top + reach[0] + 3, left : left + reach[1] + 3]
        shape = (3, 3, inputs.shape[-1], 1)
        return tf.nn.depthwise_conv2d_backprop_filter(
            seen, shape, upstream, (1, stride, stride, 1), "VALID"
        )

    upper, lower = (tf.concat((window(top, 0), window(top, 2)[:, 1:]), 1) for top in (0, 2))
    return tf.concat((upper, lower[1:]), 0)


@contextmanager
def faster(model: keras.Model) -> Iterator[None]:
    """Within, functions that are traced of a model use the faster ways; on CPUs only."""
    changed = []
    if not tf.config.list_logical_devices("GPU") + tf.config.list_logical_devices("TPU"):
        for layer in model.layers:
            layer = getattr(layer, "layer", layer)  # of a quantizing wrapper
            if kind := _faster_class(layer):
                changed.append((layer, type(layer)))
                object.__setattr__(layer, "__class__", kind)
    try:
        yield
    finally:
        for layer, kind in changed:
            object.__setattr__(layer, "__class__", kind)


def _faster_class(layer: keras.layers.Layer) -> type | None:
    """One of those above, or None where there is no faster way."""
    if type(layer) not in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D):
        return None
    if layer.data_format != "channels_last" or layer.dilation_rate != (1, 1):
        return None
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        plain = layer.depth_multiplier == 1 and layer.strides[0] == layer.strides[1]
        return _Depthwise if plain and layer.kernel_size == (5, 5) else None
    plain = layer.groups == 1 and layer.strides == (1, 1)
    return _Pointwise if plain and layer.kernel_size == (1, 1) else None
