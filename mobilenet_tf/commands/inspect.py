"""`inspect`: the content of a `.tflite`. Needs no TensorFlow."""

from pathlib import Path
from typing import Any

from mobilenet_tf.deployment.tflite import inspect as tflite


def inspect(file: str | Path) -> dict[str, Any]:
    """Return operators, sizes, quantization and metadata of a `.tflite`, ready for JSON.

    Raises:
        UserError: The file cannot be read.
    """
    return tflite.inspect(file)
