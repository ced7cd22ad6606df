"""Inside the network: each tensor of the file against the model that it was made from."""

import numpy as np
import tf_keras as keras

from export.runtime import TensorInfo, TFLiteModel


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


def _layer_of(model: keras.Model, tensor: str) -> str | None:
    path = tensor.split(";")[0].removeprefix(f"{model.name}/")
    names = [layer.name for layer in model.layers if path.startswith(f"{layer.name}/")]
    return max(names, key=len, default=None)


def model_tensors(model: keras.Model, names: list[str], images: np.ndarray) -> dict:
    """What the layers of a Keras model give: name -> float32 (N, ...)."""
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    outputs = probe.predict(images, batch_size=32, verbose=0)
    return dict(zip(names, outputs, strict=True))


def distance(info: TensorInfo, expected: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Steps (LSB) between real values and integers of a tensor."""
    limits = np.iinfo(info.dtype)
    steps = np.rint(expected.astype(np.float64) / info.scale) + info.zero_point
    steps = np.clip(steps, limits.min, limits.max)
    return np.abs(steps - found.reshape(expected.shape).astype(np.int64))
