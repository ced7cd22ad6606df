"""What a convolution reads at some of its output positions."""

from dataclasses import dataclass

import numpy as np
import tf_keras as keras

from mobilenet_tf.networks.graph import same_padding

_POSITIONS = 20_000  # about as many as are read in all images together


@dataclass(frozen=True, eq=False)
class Positions:
    """Output positions of a layer: arrays of equal length."""

    images: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def draw(layer: keras.layers.Layer, images: int, seed: int = 0) -> Positions:
    """Draw output positions of a layer, as many in every image."""
    if isinstance(layer, keras.layers.Dense):
        zeros = np.zeros(images, int)
        return Positions(np.arange(images), zeros, zeros)
    _, height, width, _ = layer.output_shape
    each = min(height * width, max(1, _POSITIONS // images))
    random = np.random.default_rng(seed)
    places = np.concatenate(
        [random.choice(height * width, each, replace=False) for _ in range(images)]
    )
    return Positions(np.repeat(np.arange(images), each), places // width, places % width)


def inputs_at(layer: keras.layers.Layer, tensor: np.ndarray, positions: Positions) -> np.ndarray:
    """Return what a layer multiplies with its kernel at some output positions.

    Args:
        layer: A convolution, depthwise convolution or dense layer.
        tensor: Its input (N, h, w, c), or (N, c) for a dense layer.
        positions: The positions.

    Returns:
        (groups, positions, inputs) as in `rounding`.
    """
    if isinstance(layer, keras.layers.Dense):
        return tensor[None]
    taps = []
    for tap in np.ndindex(*layer.kernel_size):
        places, inside = [], np.ones(len(positions.images), bool)
        for axis, outputs in enumerate((positions.rows, positions.columns)):
            size, stride, dilation = (
                tensor.shape[1 + axis],
                layer.strides[axis],
                layer.dilation_rate[axis],
            )
            place = outputs * stride + tap[axis] * dilation
            if layer.padding == "same":
                window = (layer.kernel_size[axis] - 1) * dilation + 1
                place = place - same_padding(size, window, stride)[0]
            inside &= (place >= 0) & (place < size)
            places.append(np.clip(place, 0, size - 1))
        values = tensor[positions.images, places[0], places[1]]
        taps.append(np.where(inside[:, None], values, np.float32(0)))
    stacked = np.stack(taps, axis=1)  # (positions, taps, channels)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return stacked.transpose(2, 0, 1)
    return stacked.reshape(1, len(stacked), -1)


def to_groups(layer: keras.layers.Layer, kernel: np.ndarray) -> np.ndarray:
    """Return a layer's kernel as (groups, inputs, outputs)."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        height, width, channels, multiplier = kernel.shape
        return kernel.reshape(height * width, channels, multiplier).transpose(1, 0, 2)
    return kernel.reshape(1, -1, kernel.shape[-1])


def from_groups(
    layer: keras.layers.Layer, kernel: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return a kernel (groups, inputs, outputs) in the layer's own shape."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel = kernel.transpose(1, 0, 2)
    return kernel.reshape(shape).astype(np.float32)
