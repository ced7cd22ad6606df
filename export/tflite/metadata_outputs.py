"""The metadata of a `.tflite`'s outputs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.metadata_schema import AXIS_LABELS, VALUE_LABELS
from mobilenet_tf.deployment.tflite.tensor_info import tensor_info

LABELS_FILE = "labels.txt"
INTEGERS = {schema.TensorType.UINT8: (0, 255), schema.TensorType.INT8: (-128, 127)}


class OutputText(NamedTuple):
    """What the metadata say about an output.

    Attributes:
        name, description: Texts.
        properties: Kind of its content, a member of the schema's `ContentProperties`.
        numbered: Whether its values are the numbers of classes.
    """

    name: str
    description: str
    properties: tuple[str, dict[str, Any]] = ("FeatureProperties", {})
    numbered: bool = False


def output_metadata(
    outputs: Sequence[schema.TensorT], texts: Sequence[OutputText], *, labelled: bool
) -> list[dict[str, Any]]:
    """Return the metadata of outputs.

    Args:
        outputs: The tensors.
        texts: What is said about each; none where the output is one score for each class.
        labelled: Whether there are labels: of the output of class numbers, or else of the places
            along the last output.
    """
    if not texts:
        described = f"One score for each of {int(outputs[-1].shape[-1])} classes."
        found = [_output(OutputText("scores", described), (0.0, 1.0))]
    else:
        ranges = map(_range, outputs)
        found = [_output(text, limits) for text, limits in zip(texts, ranges, strict=True)]
    if labelled:
        numbers = [place for place, text in enumerate(texts) if text.numbered]
        found[numbers[0] if numbers else -1]["associated_files"] = [
            {
                "name": LABELS_FILE,
                "description": "One class per line.",
                "type": VALUE_LABELS if numbers else AXIS_LABELS,
            }
        ]
    return found


def _output(text: OutputText, limits: tuple[float, float]) -> dict[str, Any]:
    return {
        "name": text.name,
        "description": text.description,
        "content": {"properties": text.properties},
        "stats": {"min": [limits[0]], "max": [limits[1]]},
    }


def _range(tensor: schema.TensorT) -> tuple[float, float]:
    """The least and the largest real value of an output's integers; (0, 0) for floats."""
    info, low_high = tensor_info(tensor), INTEGERS.get(tensor.type)
    if low_high is None:
        return 0.0, 0.0
    low, high = info.dequantize(np.array(low_high)).tolist()
    return low, high
