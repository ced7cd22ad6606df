"""From the raw outputs of a detector to boxes: anchors, sigmoid, suppression of duplicates."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mobilenet_tf.tasks.detection.anchors import Sizes, anchor_boxes
from mobilenet_tf.tasks.detection.boxes import from_offsets, suppress

CANDIDATES = 400  # most boxes of a picture that suppression compares


class Found(NamedTuple):
    """The boxes found in one picture, the likeliest first.

    Attributes:
        boxes: float32 (N, 4) edges in shares of the picture, within it.
        classes: int64 (N,).
        scores: float32 (N,), from 0 to 1.
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray

    def above(self, score: float) -> "Found":
        """Return the boxes of at least this score."""
        return Found(*(values[self.scores >= score] for values in self))

    def to_dict(self) -> dict[str, Any]:
        """Return lists for JSON."""
        return {name: values.tolist() for name, values in self._asdict().items()}


class Rules(NamedTuple):
    """How boxes are chosen.

    Attributes:
        sizes: Sizes of the anchors of each map.
        overlap: Intersection over union of two boxes of one class above which one is dropped.
        score: Smallest score.
        most: Largest number of boxes per picture.
        background: Whether the first logit of each anchor is that of background.
    """

    sizes: Sizes
    overlap: float
    score: float
    most: int
    background: bool = False


def joined(outputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets (N, A, 4) and the logits (N, A, classes) of all anchors.

    Args:
        outputs: Per feature map, offsets (N, height, width, anchors * 4) and logits (N, height,
            width, anchors * classes); (N, values) where a map has a single pixel.
    """
    offsets = [one.reshape(len(one), -1, 4) for one in outputs[0::2]]
    logits = [
        scores.reshape(len(scores), boxes.shape[1], -1)
        for scores, boxes in zip(outputs[1::2], offsets, strict=True)
    ]
    return np.concatenate(offsets, axis=1), np.concatenate(logits, axis=1)


def map_sides(outputs: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Return the height and width of each feature map; (N, values) have a single pixel."""
    sides = (one.shape[1:-1] or (1, 1) for one in outputs[0::2])
    return [(height, width) for height, width in sides]


def least_logit(score: float) -> np.float32:
    """Return the smallest logit whose sigmoid is at least a score."""
    return np.float32(np.log(score) - np.log1p(-score))


def decode(outputs: Sequence[np.ndarray], rules: Rules) -> list[Found]:
    """Return the boxes in each picture.

    Every anchor and class is a candidate. The likeliest 400 of at least the smallest score are
    compared; among equal scores, the first anchor and then the first class comes first.

    Args:
        outputs: Float32 outputs for N pictures, as for `joined`.
        rules: How boxes are chosen.
    """
    offsets, logits = joined(outputs)
    anchors = anchor_boxes(map_sides(outputs), rules.sizes)
    logits = logits[..., int(rules.background) :]
    least = least_logit(rules.score)
    return [
        _decode(offset, logit, anchors, least, rules)
        for offset, logit in zip(offsets, logits, strict=True)
    ]


def _decode(
    offsets: np.ndarray, logits: np.ndarray, anchors: np.ndarray, least: np.float32, rules: Rules
) -> Found:
    flat = logits.ravel()
    candidates = np.flatnonzero(flat >= least)
    order = np.argsort(-flat[candidates], kind="stable")[:CANDIDATES]
    places, classes = np.divmod(candidates[order], logits.shape[1])
    boxes = np.clip(from_offsets(offsets[places], anchors[places]), 0, 1)
    kept = suppress(boxes, classes, rules.overlap, rules.most)
    scores = 1 / (1 + np.exp(-flat[candidates[order]][kept]))
    return Found(boxes[kept], classes[kept], scores.astype(np.float32))
