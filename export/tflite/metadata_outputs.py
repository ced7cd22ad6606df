"""The metadata of a `.tflite`'s outputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.metadata_schema import AXIS_LABELS
from mobilenet_tf.deployment.tflite.tensor_info import tensor_info

LABELS_FILE = "labels.txt"
INTEGERS = {schema.TensorType.UINT8: (0, 255), schema.TensorType.INT8: (-128, 127)}


def output_metadata(
    outputs: Sequence[schema.TensorT], texts: Sequence[tuple[str, str]], *, labelled: bool
) -> list[dict[str, Any]]:
    """Return the metadata of outputs.

    Args:
        outputs: The tensors.
        texts: Name and description of each; none where the output is one score for each class.
        labelled: Whether the last output has labels.
    """
    if not texts:
        described = f"One score for each of {int(outputs[-1].shape[-1])} classes."
        found = [_output("scores", described, (0.0, 1.0))]
    else:
        ranges = map(_range, outputs)
        found = [_output(*text, limits) for text, limits in zip(texts, ranges, strict=True)]
    if labelled:
        found[-1]["associated_files"] = [
            {"name": LABELS_FILE, "description": "One class per line.", "type": AXIS_LABELS}
        ]
    return found


def _output(name: str, description: str, limits: tuple[float, float]) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "content": {"properties": ("FeatureProperties", {})},
        "stats": {"min": [limits[0]], "max": [limits[1]]},
    }


def _range(tensor: schema.TensorT) -> tuple[float, float]:
    """The least and the largest real value of an output's integers; (0, 0) for floats."""
    info, low_high = tensor_info(tensor), INTEGERS.get(tensor.type)
    if low_high is None:
        return 0.0, 0.0
    low, high = info.dequantize(np.array(low_high)).tolist()
    return low, high
