"""What a detector gets right and wrong: metrics, confusion with background, worst pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.tasks.detection.average_precision import (
    RECALLS,
    Truth,
    average_precision,
    precision_curves,
)
from mobilenet_tf.tasks.detection.boxes import overlaps
from mobilenet_tf.tasks.detection.decoding import Found
from mobilenet_tf.tasks.worst import Mistakes, worst_first

# COCO's bounds of small and large objects are in pixels of pictures of about this size. Every
# picture is measured as if it had it, so that inputs of all sizes are compared on equal terms.
TYPICAL = (640, 480)
_WORST = "Worst pictures: true boxes in green, found ones in red"
_LINES = 10  # classes that the chart shows
_RIGHT = 0.5  # IoU from which a box has found an object
_TRUE, _FOUND, _SHOWN = (0, 200, 0), (230, 0, 0), 320  # colours, and pixels of a picture shown


def objects(labels: np.ndarray) -> list[Truth]:
    """Return the objects of each picture, from labels (N, most, 6), in shares of the picture."""
    real = [rows[rows[:, 4] >= 0] for rows in labels]
    return [Truth(rows[:, :4], rows[:, 4].astype(int), rows[:, 5] > 0) for rows in real]


def measure(
    truth: Sequence[Truth], found: Sequence[Found], classes: Sequence[str], score: float
) -> dict[str, Any]:
    """Return the metrics of `Detection.metrics`.

    Args:
        truth: Objects of each picture, in shares of the picture.
        found: Boxes found in each picture, likewise.
        classes: Class names.
        score: Smallest score of the boxes that `confusion` counts.
    """
    scale = np.array(TYPICAL * 2, np.float64)
    pixels = [one._replace(boxes=one.boxes * scale) for one in truth]
    placed = [one._replace(boxes=one.boxes * scale) for one in found]
    curves = precision_curves(pixels, placed, len(classes))
    every = curves.pop("all")
    return {
        "ap50": average_precision(every[0]),
        "ap": average_precision(every),
        "ap75": average_precision(every[5]),
        "tables": [
            _by_class(truth, every, classes),
            _by_size(curves),
            _confused(confusion(truth, [one.above(score) for one in found], len(classes)), classes),
        ],
        "charts": [_precision_and_recall(every[0], classes)],
    }


def _by_class(truth: Sequence[Truth], curves: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    wanted = np.concatenate([one.classes[~one.crowd] for one in truth])
    count = np.bincount(wanted, minlength=len(classes))
    return {
        "title": "Average precision by class",
        "columns": ["class", "AP", "AP50", "objects"],
        "rows": [
            [
                name,
                average_precision(curves[..., index]),
                average_precision(curves[0, :, index]),
                int(count[index]),
            ]
            for index, name in enumerate(classes)
        ],
        "shares": ["AP", "AP50"],
    }


def _by_size(curves: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {
        "title": "Average precision by size",
        "note": "Small objects cover less than a 300th of the picture, large ones more than a "
        "33rd: COCO's bounds of 32x32 and 96x96 pixels in pictures of 640x480.",
        "columns": ["objects", "AP"],
        "rows": [[name, average_precision(curve)] for name, curve in curves.items()],
        "shares": ["AP"],
    }


def _confused(table: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "title": "Confusion with other classes and with background",
        "note": "Rows are true classes. Objects without a box are in the last column, boxes "
        "without an object in the last row.",
        "columns": ["true class", *classes, "missed"],
        "rows": [
            [name, *map(int, row)]
            for name, row in zip([*classes, "background"], table, strict=True)
        ],
    }


def _precision_and_recall(curves: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Return the chart of the curves (recalls, classes)."""
    return {
        "title": "Precision and recall",
        "note": "A box is right if its IoU with an object of its class is at least 0.5.",
        "x": "recall",
        "y": "precision",
        "lines": {
            name: [
                [round(float(recall), 2), round(float(value), 4)]
                for recall, value in zip(RECALLS, curves[:, index], strict=True)
            ]
            for index, name in enumerate(classes[:_LINES])
            if not np.isnan(curves[0, index])
        },
    }


class _Pairs(NamedTuple):
    """Which boxes found which objects of a picture, whatever their classes.

    Attributes:
        objects, boxes: Indices of the pairs.
        missed: Indices of the objects that no box found.
        invented: Indices of the boxes that found no object and lie on no ignored one.
    """

    objects: list[int]
    boxes: list[int]
    missed: list[int]
    invented: list[int]


def _pairs(truth: Truth, found: Found) -> _Pairs:
    overlap = overlaps(found.boxes, truth.boxes, truth.crowd)
    pairs = _Pairs([], [], [], [])
    for box, row in enumerate(overlap):
        free = np.where(truth.crowd, 0, row)
        free[pairs.objects] = 0
        # An object of the box's own class comes first.
        own = np.where(truth.classes == found.classes[box], free, 0)
        best = own if own.max(initial=0) >= _RIGHT else free
        if best.max(initial=0) >= _RIGHT:
            pairs.objects.append(int(best.argmax()))
            pairs.boxes.append(box)
        elif not (row[truth.crowd] >= _RIGHT).any():
            pairs.invented.append(box)
    seen = set(pairs.objects) | set(np.flatnonzero(truth.crowd))
    pairs.missed.extend(index for index in range(len(truth.classes)) if index not in seen)
    return pairs


def confusion(truth: Sequence[Truth], found: Sequence[Found], classes: int) -> np.ndarray:
    """Return which classes are taken for which; the last row and column are background.

    Each box counts for the object with which its IoU is largest and at least 0.5, the likeliest
    boxes first. An object that no box found was taken for background; a box that found none was
    taken from it.

    Returns:
        int (classes + 1, classes + 1): rows are true classes, columns predicted ones.
    """
    table = np.zeros((classes + 1, classes + 1), int)
    for one, boxes in zip(truth, found, strict=True):
        pairs = _pairs(one, boxes)
        for true, predicted in zip(pairs.objects, pairs.boxes, strict=True):
            table[one.classes[true], boxes.classes[predicted]] += 1
        for true in pairs.missed:
            table[one.classes[true], classes] += 1
        for predicted in pairs.invented:
            table[classes, boxes.classes[predicted]] += 1
    return table


def worst_pictures(
    test: Split, classes: Sequence[str], truth: Sequence[Truth], found: Sequence[Found]
) -> Mistakes:
    """Return the pictures with the most errors, with true boxes in green and found ones in red."""
    rows = []
    for one, boxes in zip(truth, found, strict=True):
        pairs = _pairs(one, boxes)
        mistaken = int((one.classes[pairs.objects] != boxes.classes[pairs.boxes]).sum())
        rows.append((len(pairs.missed), len(pairs.invented), mistaken))
    errors = np.array(rows, int).sum(axis=1)
    worst = Mistakes([], {})
    for row in worst_first(errors, errors > 0):
        missed, invented, mistaken = rows[row]
        note = f"{missed} missed, {invented} without an object, {mistaken} of another class"
        shown = drawn(test.images[row], truth[row], found[row], classes)
        worst.add(test.names[row], shown, note=note, title=_WORST)
    return worst


def drawn(picture: np.ndarray, truth: Truth, found: Found, classes: Sequence[str]) -> np.ndarray:
    """Return a picture, enlarged, with true boxes in green and found ones in red; uint8."""
    height, width = picture.shape[:2]
    scale = max(1, round(_SHOWN / max(height, width)))
    image = Image.fromarray(np.squeeze(picture)).convert("RGB")
    image = image.resize((width * scale, height * scale), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    size = np.array([image.width, image.height] * 2)
    for box, label in zip(truth.boxes * size, truth.classes, strict=True):
        draw.rectangle(box.tolist(), outline=_TRUE, width=2)
        draw.text((box[0] + 3, box[3] - 12), classes[label], fill=_TRUE)
    for box, label, score in zip(found.boxes * size, found.classes, found.scores, strict=True):
        draw.rectangle(box.tolist(), outline=_FOUND)
        draw.text((box[0] + 3, box[1] + 1), f"{classes[label]} {score:.2f}", fill=_FOUND)
    return np.asarray(image)
