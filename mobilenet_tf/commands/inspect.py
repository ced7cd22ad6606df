"""`inspect`: the content of a `.tflite`. Needs no TensorFlow."""

from pathlib import Path

from mobilenet_tf.commands.outcomes.inspection import Inspection
from mobilenet_tf.deployment.tflite import inspect as tflite


def inspect(file: str | Path) -> Inspection:
    """Return operators, sizes, quantization and metadata of a `.tflite`, ready for JSON.

    Raises:
        UserError: The file cannot be read.
    """
    return Inspection(tflite.inspect(file))
