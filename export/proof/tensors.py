"""Inside the network: each tensor of the file against the model that it was made from."""

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import input_tensors
from mobilenet_tf.compression.qat import without_rounding
from mobilenet_tf.compression.scheme import kernel_name
from mobilenet_tf.deployment.tflite.interpreter import TensorInfo, TFLiteModel


def file_tensors(model: keras.Model, file: TFLiteModel, pictures: np.ndarray) -> dict:
    """The file's result for every layer of `model` that has a tensor of its own in the file.

    Args:
        model: the quantization-aware model that was converted; names match its layers.
        file: loaded with `preserve_tensors`.
        pictures: uint8 (N, h, w, c).

    Returns:
        Layer name -> (TensorInfo, integers (N, ...)), in the order of execution.
    """
    runs = [file.activations(picture[None]) for picture in pictures]
    # The converter joins the names of what it fused; the first is that of the last layer.
    found = {}
    for name, (info, _) in runs[0].items():
        layer = _layer_of(model, name)
        if layer is not None and info.scale is not None:
            found[layer] = (info, np.concatenate([run[name][1] for run in runs]))
    return found


def compare(model: keras.Model, content: bytes, pictures: np.ndarray, images: np.ndarray) -> list:
    """Where int8 loses precision, and where the file leaves the model it was made from.

    Args:
        model: the quantization-aware model that was converted.
        content: the file.
        pictures: uint8 (N, h, w, c), a few dozen.
        images: the same, normalised.

    Returns:
        For each tensor of the file: name; op, the kind of layer; sqnr_db, the signal-to-noise
        ratio against the same weights in float; max_lsb and within_1_lsb against the
        quantization-aware model; range_used, the share of the 256 integers between the least and
        the largest; weight_low and weight_high of its kernel (None where there is none).
    """
    found = file_tensors(model, TFLiteModel(content, preserve_tensors=True), pictures)
    rounded = model_tensors(model, list(found), images)
    smooth = model_tensors(without_rounding(model), list(found), images)
    rows = []
    for name, (info, values) in found.items():
        steps = distance(info, rounded[name], values)
        kernel = _kernel_behind(model.get_layer(name))
        rows.append(
            {
                "name": name,
                "op": type(model.get_layer(name).layer).__name__,
                "sqnr_db": _sqnr(smooth[name], info.dequantize(values).reshape(steps.shape)),
                "max_lsb": int(steps.max()),
                "within_1_lsb": float((steps <= 1).mean()),
                "range_used": (int(values.max()) - int(values.min()) + 1) / 256,
                "weight_low": None if kernel is None else float(kernel.min()),
                "weight_high": None if kernel is None else float(kernel.max()),
            }
        )
    return rows


def _sqnr(signal: np.ndarray, found: np.ndarray) -> float:
    """Decibels; 150 stands for no noise at all."""
    signal = signal.astype(np.float64)
    noise = np.square(signal - found).mean()
    ratio = np.square(signal).mean() / noise if noise else np.inf
    return round(float(min(10 * np.log10(max(ratio, 1e-15)), 150.0)), 2)


def _kernel_behind(wrapper) -> np.ndarray | None:
    """The kernel of a convolution, or of the convolution in front of a fused ReLU."""
    if isinstance(wrapper.layer, keras.layers.ReLU):
        wrapper = input_tensors(wrapper)[0].node.layer
    name = kernel_name(wrapper.layer)
    return getattr(wrapper.layer, name).numpy() if name else None


def _layer_of(model: keras.Model, tensor: str) -> str | None:
    path = tensor.split(";")[0].removeprefix(f"{model.name}/")
    names = [layer.name for layer in model.layers if path.startswith(f"{layer.name}/")]
    return max(names, key=len, default=None)


def model_tensors(model: keras.Model, names: list[str], images: np.ndarray) -> dict:
    """What the layers of a Keras model give: name -> float32 (N, ...)."""
    probe = keras.Model(model.input, {name: model.get_layer(name).output for name in names})
    return probe.predict(images, batch_size=32, verbose=0)


def distance(info: TensorInfo, expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Steps (LSB) between real values and integers of a tensor: int64 in the values' shape."""
    expected = info.quantize(expected).astype(np.int64)
    return np.abs(expected - found.reshape(expected.shape))
