"""Compare each tensor inside a `.tflite` with the model that it was converted from."""

from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import input_tensors
from mobilenet_tf.compression.qat import without_rounding
from mobilenet_tf.compression.scheme import kernel_name
from mobilenet_tf.deployment.proof.parity import distance
from mobilenet_tf.deployment.proof.rounding import range_used, sqnr
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo

_AT_ONCE = 32  # images


def file_tensors(
    model: keras.Model, file: TFLiteModel, pixels: np.ndarray
) -> dict[str, tuple[TensorInfo, np.ndarray]]:
    """Return the file's result for every layer of `model` that has its own tensor in the file.

    Args:
        model: The quantization-aware model that was converted; tensors are matched by its layers'
            names.
        file: The file, loaded with `preserve_tensors`.
        pixels: uint8 (N, h, w, c).

    Returns:
        Layer name -> (TensorInfo, integers (N, ...)), in the order of execution.
    """
    runs = [file.activations(image[None]) for image in pixels]
    found = {}
    for name, (info, _) in runs[0].items():
        layer = _layer_of(model, name)
        if layer is not None and info.scale is not None:
            found[layer] = (info, np.concatenate([run[name][1] for run in runs]))
    return found


def model_tensors(
    model: keras.Model, names: list[str], images: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the outputs of layers of a Keras model: name -> float32 (N, ...).

    Args:
        model: The model.
        names: Names of the layers.
        images: float32 (N, h, w, c), normalised.
    """
    probe = keras.Model(model.input, {name: model.get_layer(name).output for name in names})
    # Layer by layer: making a graph, as `predict` does, takes longer than a few dozen images.
    starts = range(0, len(images), _AT_ONCE)
    parts = [probe(images[start : start + _AT_ONCE], training=False) for start in starts]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in names}


def compare(
    model: keras.Model, content: bytes, pixels: np.ndarray, images: np.ndarray
) -> list[dict[str, Any]]:
    """Measure where int8 loses precision and where the file differs from its model.

    Args:
        model: The quantization-aware model that was converted.
        content: The file.
        pixels: uint8 (N, h, w, c), a few dozen images.
        images: The same images, normalised.

    Returns:
        For each tensor of the file: name; op, the kind of layer; sqnr_db, the signal-to-noise
        ratio against the same weights in float; max_lsb and within_1_lsb against the
        quantization-aware model; range_used, the share of the 256 integers between the least and
        the largest; weight_low and weight_high of its kernel (None if it has none).
    """
    found = file_tensors(model, TFLiteModel(content, preserve_tensors=True), pixels)
    rounded = model_tensors(model, list(found), images)
    unrounded = model_tensors(without_rounding(model), list(found), images)
    rows = []
    for name, (info, values) in found.items():
        steps = distance(info, rounded[name], values)
        kernel = _kernel_before(model.get_layer(name))
        real = info.dequantize(values).reshape(steps.shape)
        rows.append(
            {
                "name": name,
                "op": type(model.get_layer(name).layer).__name__,
                "sqnr_db": sqnr(unrounded[name], real),
                "max_lsb": int(steps.max()),
                "within_1_lsb": float((steps <= 1).mean()),
                "range_used": range_used(values),
                "weight_low": None if kernel is None else float(kernel.min()),
                "weight_high": None if kernel is None else float(kernel.max()),
            }
        )
    return rows


def _kernel_before(wrapper: keras.layers.Layer) -> np.ndarray | None:
    """The kernel of a convolution, or of the convolution that is fused with a ReLU."""
    if isinstance(wrapper.layer, keras.layers.ReLU):
        wrapper = input_tensors(wrapper)[0].node.layer
    name = kernel_name(wrapper.layer)
    return getattr(wrapper.layer, name).numpy() if name else None


def _layer_of(model: keras.Model, tensor: str) -> str | None:
    """The layer that a tensor of the file belongs to."""
    # The converter joins the names of fused layers; the first is that of the last layer.
    path = tensor.split(";")[0].removeprefix(f"{model.name}/")
    names = [layer.name for layer in model.layers if path.startswith(f"{layer.name}/")]
    return max(names, key=len, default=None)
