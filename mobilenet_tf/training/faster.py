"""Faster implementations of two convolutions for training on CPUs, with the same results.

oneDNN, TensorFlow's library on CPUs, is slow at two operations that MobileNets use often: 1x1
convolutions of small maps, above all those of squeeze-and-excite, which are matrix products here;
and the gradient of 5x5 depthwise kernels, which takes several times as long as four 3x3 gradients.
Networks are built, saved and loaded with Keras's own layers; their classes are replaced only
during training.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf
import tf_keras as keras


class _Pointwise(keras.layers.Conv2D):
    """1x1 convolution as a matrix product."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) and (1, 1, C, D) -> (N, H, W, D)."""
        flat = tf.reshape(inputs, (-1, inputs.shape[-1])) @ kernel[0, 0]
        return tf.reshape(flat, (-1, *inputs.shape[1:3], flat.shape[-1]))


class _Depthwise(keras.layers.DepthwiseConv2D):
    """5x5 depthwise convolution whose kernel gradient is computed from 3x3 windows."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (N, h, w, C)."""
        outputs = _depthwise(
            inputs, self.depthwise_kernel, (1, *self.strides, 1), self.padding.upper()
        )
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return self.activation(outputs)


def _depthwise(inputs: tf.Tensor, kernel: tf.Tensor, strides: tuple, padding: str) -> tf.Tensor:
    """Convolve (N, H, W, C) with (5, 5, C, 1) to (N, h, w, C)."""

    @tf.custom_gradient
    def convolve(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        outputs = tf.nn.depthwise_conv2d(inputs, kernel, strides, padding)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            inputs_gradient = tf.nn.depthwise_conv2d_backprop_input(
                tf.shape(inputs), kernel, upstream, strides, padding
            )
            return inputs_gradient, _kernel_gradient(inputs, upstream, strides[1])

        return outputs, gradient

    return convolve(inputs, kernel)


def _kernel_gradient(inputs: tf.Tensor, upstream: tf.Tensor, stride: int) -> tf.Tensor:
    """Return the gradient of a 5x5 kernel, (5, 5, C, 1).

    The tap (i, j) of a kernel reads the inputs shifted by i rows and j columns. A block of 3x3 taps
    that starts at (i, j) is therefore the kernel of a 3x3 convolution of the inputs without their
    first i rows and j columns. The four blocks that start in row and column 0 or 2 cover all taps;
    they overlap in row 2 and column 2, which are dropped once.

    Args:
        inputs: (N, H, W, C) input of the layer.
        upstream: (N, h, w, C) gradient of its output.
        stride: Stride of the convolution, the same in both directions.
    """
    reach = [stride * (side - 1) for side in upstream.shape[1:3]]
    # The padding of SAME; 0 for VALID.
    missing = [max(0, far + 5 - side) for far, side in zip(reach, inputs.shape[1:3], strict=True)]
    edges = [(total // 2, total - total // 2) for total in missing]
    padded = tf.pad(inputs, ((0, 0), *edges, (0, 0)))

    def window(top: int, left: int) -> tf.Tensor:
        part = padded[:, top : top + reach[0] + 3, left : left + reach[1] + 3]
        shape = (3, 3, inputs.shape[-1], 1)
        return tf.nn.depthwise_conv2d_backprop_filter(
            part, shape, upstream, (1, stride, stride, 1), "VALID"
        )

    upper, lower = (tf.concat((window(top, 0), window(top, 2)[:, 1:]), 1) for top in (0, 2))
    return tf.concat((upper, lower[1:]), 0)


@contextmanager
def faster(model: keras.Model) -> Iterator[None]:
    """Replace the classes of a model's layers while its training step is traced; on CPUs only."""
    changed = []
    if not tf.config.list_logical_devices("GPU") + tf.config.list_logical_devices("TPU"):
        for layer in model.layers:
            layer = getattr(layer, "layer", layer)  # the layer inside a quantization wrapper
            if kind := _faster_class(layer):
                changed.append((layer, type(layer)))
                object.__setattr__(layer, "__class__", kind)
    try:
        yield
    finally:
        for layer, kind in changed:
            object.__setattr__(layer, "__class__", kind)


def _faster_class(layer: keras.layers.Layer) -> type | None:
    """Return the class that replaces a layer's own, or None if no faster one applies."""
    if type(layer) not in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D):
        return None
    if layer.data_format != "channels_last" or layer.dilation_rate != (1, 1):
        return None
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        plain = layer.depth_multiplier == 1 and layer.strides[0] == layer.strides[1]
        return _Depthwise if plain and layer.kernel_size == (5, 5) else None
    plain = layer.groups == 1 and layer.strides == (1, 1)
    return _Pointwise if plain and layer.kernel_size == (1, 1) else None
