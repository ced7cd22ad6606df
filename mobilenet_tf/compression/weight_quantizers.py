"""How kernels become int8 in training: TFMOT quantizers for the deploy form.

Weights are symmetric with one scale per output channel, for depthwise kernels too, as TFLite runs
them. TFMOT's own 8-bit scheme takes the kernel's last axis, which has length 1 for a depthwise
kernel, and so trains it with one range.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from mobilenet_tf.compression.hashed_weights import hash_kernel
from mobilenet_tf.compression.integers import Grid

# The range of a channel is at least this share of the widest channel's, so that a channel whose
# weights are almost zero has a range too.
_NARROWEST_CHANNEL = 2.0**-12
# The bias is an integer in steps of the kernel's scale times the input's. A channel with a bias
# beyond float32's exact integers, and then int32, gets a wider range: its kernel hardly matters.
_LARGEST_BIAS = 2.0**23


class KernelQuantizer(tfmot.quantization.keras.quantizers.Quantizer):
    """Symmetric int8 weights in -127..127, with the scale taken from the weights at every step.

    Weights of fewer bits are int8 weights with a larger scale, so that the range reaches further
    than they do.

    Attributes:
        per_channel: Whether there is one scale per output channel, or one for the tensor.
        bias: Bias of the same layer.
        source: Range of the tensor that the layer reads.
        bits: Bits of the weights: of 4, the integers are -7..7.
    """

    def __init__(
        self, per_channel: bool, bias: tf.Variable, source: tuple[float, float], bits: int = 8
    ):
        self.per_channel, self.bias, self.source = per_channel, bias, source
        self.bits = bits

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Remember the kernel's shape; see TFMOT's `Quantizer`."""
        self._shape = tuple(tensor_shape)
        # A depthwise kernel is (h, w, C, m) with C * m output channels.
        self._depthwise = isinstance(layer.layer, keras.layers.DepthwiseConv2D)
        return {}

    def limits(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the largest magnitude of the range: () per tensor, or (output channels,)."""
        limit = self._widest(kernel)
        if not self.per_channel:
            return limit
        narrowest = _NARROWEST_CHANNEL * tf.reduce_max(limit)
        step = tf.abs(self.bias) / (_LARGEST_BIAS * Grid.of(self.source).scale)
        return tf.maximum(limit, tf.maximum(narrowest, 127 * step))

    def _widest(self, kernel: tf.Tensor) -> tf.Tensor:
        """Return the largest magnitude that the kernel asks for."""
        kernel = tf.abs(self._by_channel(kernel))
        axes = list(range(len(kernel.shape) - 1)) if self.per_channel else None
        return tf.reduce_max(kernel, axis=axes) * (127 / largest_integer(self.bits))

    def in_range(self, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return a kernel in shares of its range, from -1 to 1, in another shape; and `limits`."""
        limit = self.limits(kernel)
        return self._by_channel(kernel) / limit, limit

    def _by_channel(self, kernel: tf.Tensor) -> tf.Tensor:
        if not self._depthwise:
            return kernel
        height, width, channels, multiplier = self._shape
        return tf.reshape(kernel, (height, width, 1, channels * multiplier))

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> tf.Tensor:
        kernel = tf.convert_to_tensor(inputs)
        limit = tf.stop_gradient(self.limits(kernel))
        if not self.per_channel:
            return tf.quantization.fake_quant_with_min_max_vars(
                kernel, -limit, limit, num_bits=8, narrow_range=True
            )
        kernel = self._by_channel(kernel)
        kernel = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -limit, limit, num_bits=8, narrow_range=True
        )
        return tf.reshape(kernel, self._shape)

    def get_config(self) -> dict[str, Any]:
        """Return the settings; the bias belongs to the layer."""
        return {"per_channel": self.per_channel, "source": self.source, "bits": self.bits}


class StoredScale(KernelQuantizer):
    """int8 weights whose scale is a variable instead of following the largest weight.

    The channels of a kernel with shared weights have their integers in common. A channel need not
    have the largest of them, so that its weights alone do not tell its scale.
    """

    trains_scale = False

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Add the largest magnitude of the range, as in `limits`."""
        super().build(tensor_shape, name, layer)
        channels = self._shape[-2:] if self._depthwise else self._shape[-1:]
        shape = (int(np.prod(channels)),) if self.per_channel else ()
        self.limit = layer.add_weight("limit", shape, trainable=self.trains_scale)
        return {}

    def _widest(self, kernel: tf.Tensor) -> tf.Tensor:
        return tf.convert_to_tensor(self.limit)


class Sharing(NamedTuple):
    """How the weights of a kernel share values.

    Attributes:
        values: Entries of the table; 0 if weights share none.
        length: Weights in an entry: more than one along the input channels are a vector.
        hashed: Whether a hash says which entry a weight is, and with which sign.
        per_channel: Whether each output channel has a table of its own.
    """

    values: int = 0
    length: int = 1
    hashed: bool = False
    per_channel: bool = False


class SharedWeights(StoredScale):
    """int8 weights with few values: each is the nearest of a table, times its channel's scale.

    The table is trained by the sum of its weights' gradients (Han et al., "Deep Compression",
    section 3). The weights are trained too, straight through, so that they may change places.

    Attributes:
        sharing: Size of the table.
    """

    trains_scale = True

    def __init__(
        self, per_channel: bool, bias: tf.Variable, source: tuple[float, float], sharing: Sharing
    ):
        super().__init__(per_channel, bias, source)
        self.sharing = sharing

    def build(self, tensor_shape: Any, name: str, layer: keras.layers.Layer) -> dict[str, Any]:
        """Add the table, whose values from -1 to 1 stand for the integers from -127 to 127."""
        super().build(tensor_shape, name, layer)
        self.table = layer.add_weight("table", self._table_shape(), trainable=True)
        return {}

    def _table_shape(self) -> tuple[int, ...]:
        return (self.sharing.values,)

    def __call__(self, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> tf.Tensor:
        kernel = tf.convert_to_tensor(inputs)
        limit = self.limits(kernel)
        unit = self._by_channel(kernel) / tf.stop_gradient(limit)
        # Integers, so that all channels round alike whatever their scales.
        table = tf.clip_by_value(self._entries(), -1.0, 1.0)
        table += tf.stop_gradient(tf.round(127 * table) / 127 - table)
        shared = self._look_up(table, unit)
        kernel = (shared + (unit - tf.stop_gradient(unit))) * limit
        return super().__call__(tf.reshape(kernel, self._shape), training, weights)

    def _entries(self) -> tf.Tensor:
        return tf.sort(self.table)

    def _look_up(self, table: tf.Tensor, unit: tf.Tensor) -> tf.Tensor:
        """Return the entries that stand for a kernel's weights, in its shape."""
        places = tf.searchsorted((table[1:] + table[:-1]) / 2, tf.reshape(unit, (-1,)))
        return tf.reshape(tf.gather(table, places), unit.shape)


class SharedInChannels(SharedWeights):
    """int8 weights of which each output channel has a table of its own."""

    def _table_shape(self) -> tuple[int, ...]:
        return (*self.limit.shape, self.sharing.values)

    def _look_up(self, table: tf.Tensor, unit: tf.Tensor) -> tf.Tensor:
        rows = tf.transpose(tf.reshape(unit, (-1, unit.shape[-1])))
        places = tf.searchsorted((table[:, 1:] + table[:, :-1]) / 2, rows)
        shared = tf.gather(table, places, batch_dims=1)
        return tf.reshape(tf.transpose(shared), unit.shape)


class SharedVectors(SharedWeights):
    """int8 weights of which several input channels are a vector of a codebook, the nearest one."""

    def _table_shape(self) -> tuple[int, ...]:
        return (self.sharing.values, self.sharing.length)

    def _entries(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.table)

    def _look_up(self, table: tf.Tensor, unit: tf.Tensor) -> tf.Tensor:
        rows = tf.transpose(tf.reshape(unit, (-1, unit.shape[-1])))  # in the order of the file
        vectors = tf.reshape(rows, (-1, self.sharing.length))
        products = tf.matmul(vectors, table, transpose_b=True)
        places = tf.argmin(tf.reduce_sum(table**2, axis=1) - 2 * products, axis=1)
        shared = tf.gather(table, places)
        return tf.reshape(tf.transpose(tf.reshape(shared, rows.shape)), unit.shape)


class HashedWeights(SharedWeights):
    """int8 weights whose place in the table is a hash of their number, and so never changes."""

    def _entries(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.table)

    def _look_up(self, table: tf.Tensor, unit: tf.Tensor) -> tf.Tensor:
        places, signs = hash_kernel(self._shape, self.sharing.values)
        return tf.gather(table, places) * signs


def quantizer_of(sharing: Sharing) -> type[SharedWeights]:
    """Return the class for kernels whose weights share values in this way."""
    if sharing.hashed:
        return HashedWeights
    if sharing.per_channel:
        return SharedInChannels
    return SharedVectors if sharing.length > 1 else SharedWeights


def largest_integer(bits: int) -> int:
    """Return the largest magnitude of symmetric integers with so many bits."""
    return (1 << (bits - 1)) - 1
