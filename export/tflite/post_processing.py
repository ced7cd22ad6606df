"""Let a detector's file end in the operator of TensorFlow Lite that turns its outputs into boxes.

Runtimes that expect boxes from a file, such as MediaPipe, have the operator. It is not int8: the
outputs of all feature maps are dequantized, each with its own scale, before they are joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from mobilenet_tf.deployment.tflite.flatbuffer import add_constant, operator, pack
from mobilenet_tf.deployment.tflite.metadata_outputs import OutputText
from mobilenet_tf.deployment.tflite.metadata_schema import BOUNDARIES
from mobilenet_tf.deployment.tflite.parse import parse_model

OPERATOR = "TFLite_Detection_PostProcess"
_Float32 = schema.TensorType.FLOAT32
# In the order of the operator. Readers look for these names.
OUTPUTS = (
    OutputText(
        "location",
        "Edges of the boxes, as shares of the picture: top, left, bottom, right.",
        # Where left, top, right and bottom are.
        ("BoundingBoxProperties", {"index": (1, 0, 3, 2), "type": BOUNDARIES}),
    ),
    OutputText("category", "Numbers of the boxes' classes.", numbered=True),
    OutputText("score", "Scores of the boxes, the highest first."),
    OutputText("number of detections", "Number of boxes; what follows them is filled up with 0."),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PostProcessing:
    """How outputs become boxes.

    Attributes:
        anchors: float32 (A, 4) edges in shares of the picture: left, top, right, bottom.
        classes: Number of classes, without background.
        centre_unit, side_unit: Units of the offsets of centres, and of logarithms of sides.
        score: Smallest score of a box.
        overlap: Intersection over union of two boxes of one class above which one is dropped.
        most: Largest number of boxes.
    """

    anchors: np.ndarray
    classes: int
    centre_unit: float
    side_unit: float
    score: float
    overlap: float
    most: int


def with_post_processing(content: bytes, rules: PostProcessing) -> bytes:
    """Return the same detector with four float outputs, those of `OUTPUTS`, for at most N boxes.

    They have the shapes (1, N, 4), (1, N), (1, N) and (1,). Signatures and what follows the
    flatbuffer are left out.

    Args:
        content: A valid `.tflite` (see `parse_model`). Its outputs are quantized: per feature map
            offsets (1, height, width, anchors * 4), in the order y, x, height, width, and logits
            (1, height, width, anchors * scores), those of an anchor with or without one for
            background before those of the classes.
        rules: How they become boxes.
    """
    model = parse_model(content)
    end = _End(model)
    outputs = [int(index) for index in model.subgraphs[0].outputs]
    boxes = end.joined(outputs[0::2], 4)
    values = sum(end.elements(index) for index in outputs[1::2])
    logits = end.joined(outputs[1::2], values // len(rules.anchors))
    scores = end.add("LOGISTIC", [logits], end.shape(logits))
    anchors = end.constant(_centred(rules.anchors))
    found = [end.tensor(shape) for shape in ((1, rules.most, 4), *[(1, rules.most)] * 2, (1,))]
    last = operator(model, OPERATOR, [boxes, scores, anchors], found)
    last.customOptions = np.frombuffer(_options(rules), np.uint8)
    model.subgraphs[0].operators.append(last)
    found[0] = end.within_picture(found[0])
    model.subgraphs[0].outputs = np.array(found, np.int32)
    model.signatureDefs = None  # they name the outputs that the file no longer has
    return pack(model)


class _End:
    """Appends float tensors and operators to a model."""

    def __init__(self, model: schema.ModelT):
        self.model, self.graph = model, model.subgraphs[0]

    def joined(self, maps: Sequence[int], values: int) -> int:
        """Dequantize outputs, and join them as rows of so many values."""
        rows = []
        for index in maps:
            real = self.add("DEQUANTIZE", [index], self.shape(index), schema.DequantizeOptionsT())
            shape = (1, self.elements(index) // values, values)
            sides = self.constant(np.array(shape, np.int32))
            rows.append(self.add("RESHAPE", [real, sides], shape, schema.ReshapeOptionsT()))
        options = schema.ConcatenationOptionsT()
        options.axis = 1
        count = sum(self.shape(index)[1] for index in rows)
        return self.add("CONCATENATION", rows, (1, count, values), options)

    def add(
        self, name: str, inputs: Sequence[int], shape: Sequence[int], options: Any = None
    ) -> int:
        """Append an operator, and return its output."""
        output = self.tensor(shape)
        self.graph.operators.append(operator(self.model, name, inputs, [output], options))
        return output

    def within_picture(self, boxes: int) -> int:
        """Cut boxes at the edges of the picture; MediaPipe would move them."""
        limits = (("MAXIMUM", 0.0), ("MINIMUM", 1.0))
        for name, limit in limits:
            sides = [boxes, self.constant(np.array([limit], np.float32))]
            boxes = self.add(name, sides, self.shape(boxes), schema.MaximumMinimumOptionsT())
        return boxes

    def constant(self, values: np.ndarray) -> int:
        """Append a constant of float32 or int32."""
        kind = _Float32 if values.dtype == np.float32 else schema.TensorType.INT32
        content = np.frombuffer(values.tobytes(), np.uint8)
        return add_constant(self.model, self._described(values.shape, kind), content)

    def tensor(self, shape: Sequence[int]) -> int:
        """Append an activation of float32."""
        self.graph.tensors.append(self._described(shape, _Float32))
        return len(self.graph.tensors) - 1

    def _described(self, shape: Sequence[int], kind: int) -> schema.TensorT:
        tensor = schema.TensorT()
        tensor.shape, tensor.type = np.array(shape, np.int32), kind
        tensor.name = f"post_processing_{len(self.graph.tensors)}".encode()
        return tensor

    def shape(self, index: int) -> tuple[int, ...]:
        return tuple(map(int, self.graph.tensors[index].shape))

    def elements(self, index: int) -> int:
        return int(np.prod(self.shape(index)))


def _centred(boxes: np.ndarray) -> np.ndarray:
    """Return boxes as y and x of the centre, height and width."""
    first, last = boxes[:, 1::-1], boxes[:, 3:1:-1]
    return np.concatenate([(first + last) / 2, last - first], axis=1).astype(np.float32)


def _options(rules: PostProcessing) -> bytes:
    centre, side = 1 / rules.centre_unit, 1 / rules.side_unit
    builder = flexbuffers.Builder()
    builder.MapFromElements(
        {
            "max_detections": rules.most,
            "detections_per_class": rules.most,
            "max_classes_per_detection": 1,
            "use_regular_nms": True,  # suppression within each class
            "nms_score_threshold": rules.score,
            "nms_iou_threshold": rules.overlap,
            "num_classes": rules.classes,
            **{"y_scale": centre, "x_scale": centre, "h_scale": side, "w_scale": side},
        }
    )
    return bytes(builder.Finish())
