"""Let the kernels of a quantization-aware model share values, as tables that are trained.

Weights are divided by their channels' ranges first, because what the file stores, and what a table
on a device holds, are integers.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.clustering import cluster
from mobilenet_tf.compression.hashed_weights import fit_hashed
from mobilenet_tf.compression.layer_by_layer import layer_by_layer
from mobilenet_tf.compression.product_quantization import correct_errors, product_quantize
from mobilenet_tf.compression.qat import reconfigured
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.weight_quantizers import Sharing
from mobilenet_tf.core.weight_hash import stored_values

_MOST_READ = 20_000  # pixels from which the moments of a layer's input are measured


def share_weights(
    model: keras.Model,
    counts: Mapping[str, int],
    start: str = "linear",
    *,
    per_channel: bool = False,
    sparse: Collection[str] = (),
    seed: int = 0,
) -> keras.Model:
    """Return a quantization-aware model in which each of some kernels has few values.

    Args:
        model: Result of `quantize_aware`.
        counts: Layer whose kernel shares its weights -> the most values in it.
        start: See `cluster`.
        per_channel: See `cluster`.
        sparse: Layers among them whose zeros stay zeros.
        seed: See `cluster`.

    Returns:
        A model with the same ranges, whose tables are trained with the weights.
    """
    sharings = {name: Sharing(count, per_channel=per_channel) for name, count in counts.items()}
    shared = _sharing(model, sharings)
    for name, unit, limit in _in_range(model, counts):
        found = cluster(
            unit,
            counts[name],
            start,
            per_channel=per_channel,
            keep_zeros=name in sparse,
            seed=seed,
        )
        _assign(shared.get_layer(name), found.centroids, limit)
    return shared


def share_vectors(
    model: keras.Model,
    names: Collection[str],
    count: int,
    length: int,
    images: np.ndarray,
    *,
    seed: int = 0,
) -> keras.Model:
    """Return a quantization-aware model with product-quantized kernels; see `product_quantization`.

    Layer by layer, codebook and weights are chosen so that the layer's responses to what the layers
    before have become are nearest to those of the given model.

    Args:
        model: Result of `quantize_aware`.
        names: Layers of 1x1 convolutions, or dense ones, whose inputs `length` divides.
        count: The most vectors in a codebook.
        length: Weights in a vector, along the input channels.
        images: (N, h, w, c) float32, normalised.
        seed: Of the start of k-means.
    """
    shared = _sharing(model, dict.fromkeys(names, Sharing(count, length)))
    for layer, own, exact, read in layer_by_layer(shared, model, images, "Correcting responses"):
        if layer.name not in names:
            continue
        unit, limit = (value.numpy() for value in own.weight_quantizer.in_range(own.weight))
        rows = unit.reshape(-1, unit.shape[-1]).T.astype(np.float64)
        before, after = (_pixels(own.layer, tensor) for tensor in (exact, read))
        vectors = correct_errors(
            product_quantize(rows, count, length, seed),
            rows,
            after.T @ after / len(after),
            before.T @ after / len(after),
            np.broadcast_to(limit, len(rows)),
        )
        kernel = vectors.rows.T.reshape(unit.shape) * limit
        weight = layer.weight
        assert weight is not None  # of a convolution
        weight.assign(kernel.reshape(weight.shape))
        _assign(layer, vectors.codebook, limit)
    return shared


def share_by_hash(model: keras.Model, names: Collection[str], ratio: int) -> keras.Model:
    """Return a quantization-aware model with hashed kernels; see `hashed_weights`.

    Args:
        model: Result of `quantize_aware`.
        names: Layers whose kernels were hashed before batch normalization was folded into them.
        ratio: Weights for each value, on average.
    """
    sizes = {name: int(np.prod(model.get_layer(name).weight.shape)) for name in names}
    shared = _sharing(
        model,
        {name: Sharing(stored_values(size, ratio), hashed=True) for name, size in sizes.items()},
    )
    for name, unit, limit in _in_range(model, names):
        rows = np.moveaxis(unit * limit, -1, 0).reshape(unit.shape[-1], -1)
        found = fit_hashed(rows if limit.ndim else rows.reshape(1, -1), ratio)
        _assign(shared.get_layer(name), found.table, found.ranges.reshape(limit.shape))
    return shared


def _sharing(model: keras.Model, sharings: Mapping[str, Sharing]) -> keras.Model:
    return reconfigured(
        model,
        lambda one: one.quantize_config.changed(sharing=sharings.get(one.name, Sharing())),
    )


def _in_range(
    model: keras.Model, names: Collection[str]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name of a layer, its kernel in shares of its range, and the range."""
    for name in names:
        layer = model.get_layer(name)
        unit, limit = layer.weight_quantizer.in_range(layer.weight)
        yield name, unit.numpy(), limit.numpy()


def _assign(layer: QuantizedLayer, table: np.ndarray, limit: np.ndarray) -> None:
    """Set a kernel's table, whose last entries may be repeated, and its range."""
    variable: tf.Variable = layer.weight_quantizer.table
    missing = np.subtract(variable.shape, table.shape)
    variable.assign(np.pad(table, [(0, more) for more in missing], "edge"))
    layer.weight_quantizer.limit.assign(limit)


def _pixels(layer: keras.layers.Layer, tensor: np.ndarray) -> np.ndarray:
    """Return what a layer of a 1x1 kernel reads at some of its output positions: (n, inputs)."""
    if isinstance(layer, keras.layers.Conv2D):
        down, across = layer.strides
        tensor = tensor[:, ::down, ::across]
    pixels = tensor.reshape(-1, tensor.shape[-1]).astype(np.float64)
    if len(pixels) <= _MOST_READ:
        return pixels
    drawn = np.random.default_rng(0).choice(len(pixels), _MOST_READ, replace=False)
    return pixels[np.sort(drawn)]
