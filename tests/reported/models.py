"""Models whose scores can be said beforehand, written as tools other than this one write them."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 32


def colour_model(
    weights: Sequence[Sequence[float]] = ((5, 0, 0), (0, 5, 0), (0, 0, 5)),
    bias: Sequence[float] | None = None,
    activation: str = "softmax",
    batch: int | None = 1,
) -> Any:
    """Return a network whose scores are those of the mean red, green and blue.

    Args:
        weights: One row per colour, one column per class.
        bias: Of each class.
        activation: After the sums.
        batch: Of the input; None leaves it open.
    """
    import tf_keras as keras

    image = keras.Input((SIDE, SIDE, 3), batch_size=batch)
    mean = keras.layers.GlobalAveragePooling2D()(image)
    kernel = np.array(weights, np.float32)
    dense = keras.layers.Dense(kernel.shape[1])
    model = keras.Model(image, keras.layers.Activation(activation)(dense(mean)))
    dense.set_weights([kernel, np.array([0] * kernel.shape[1] if bias is None else bias)])
    return model


def to_tflite(model: Any, kind: str = "float32") -> bytes:
    """Convert as the converter's tutorials do: `float32`, or `uint8` with pixels as input."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind == "uint8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [np.full((1, SIDE, SIDE, 3), level / 127.5 - 1, np.float32)] for level in (0, 128, 255)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()


def describe(
    content: bytes, labels: Sequence[str], mean: float = 0.0, std: float = 255.0, side: int = SIDE
) -> bytes:
    """Return a .tflite with metadata that state labels and normalisation."""
    from mobilenet_tf.core.inputs import InputSpec
    from mobilenet_tf.deployment.tflite.metadata import add_metadata

    spec = InputSpec(side, 3, mean, std)
    return add_metadata(content, name="n", description="d", labels=labels, input_spec=spec)


def write(path: Path, content: bytes) -> Path:
    """Write a file, and its folder if that is absent; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def with_member(content: bytes, name: str, text: bytes) -> bytes:
    """Return the .tflite with another content of one of the files that its end holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {member: file.read(member) for member in file.namelist()}
        start = min(info.header_offset for info in file.infolist())
    out = io.BytesIO(content[:start])
    with zipfile.ZipFile(out, "a") as file:
        for member, held in (members | {name: text}).items():
            file.writestr(member, held)
    return out.getvalue()
