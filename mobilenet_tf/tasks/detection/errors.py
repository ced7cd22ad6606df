"""What a detector gets right and wrong: metrics, confusion with background, worst pictures."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.tasks.detection.average_precision import (
    AREAS,
    Truth,
    average_precision,
    precision_curves,
)
from mobilenet_tf.tasks.detection.boxes import overlaps
from mobilenet_tf.tasks.detection.decoding import Found
from mobilenet_tf.tasks.task import MISTAKES, Mistakes

# COCO's bounds of small and large objects are in pixels of pictures of about this size. Every
# picture is measured as if it had it, so that inputs of all sizes are compared on equal terms.
TYPICAL = (640, 480)
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
    curves = {
        name: precision_curves(pixels, placed, len(classes), area) for name, area in AREAS.items()
    }
    every = curves.pop("all")
    count = np.bincount(
        np.concatenate([one.classes[~one.crowd] for one in truth]), minlength=len(classes)
    )
    shown = [one.above(score) for one in found]
    return {
        "ap": average_precision(every),
        "ap50": average_precision(every[0]),
        "ap75": average_precision(every[5]),
        "sizes": {name: average_precision(curve) for name, curve in curves.items()},
        "per_class": {
            name: {
                "ap": average_precision(every[..., index]),
                "ap50": average_precision(every[0, :, index]),
                "objects": int(count[index]),
            }
            for index, name in enumerate(classes)
        },
        "confusion": confusion(truth, shown, len(classes)).tolist(),
        "curves": {
            name: [None if np.isnan(value) else round(float(value), 4) for value in every[0, :, i]]
            for i, name in enumerate(classes)
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
    """Return the pictures with the most errors, with true boxes in green and found ones in red.

    The rows have file, missed, invented and mistaken (numbers of objects and boxes), and picture.
    """
    rows = []
    for one, boxes in zip(truth, found, strict=True):
        pairs = _pairs(one, boxes)
        mistaken = int((one.classes[pairs.objects] != boxes.classes[pairs.boxes]).sum())
        rows.append((len(pairs.missed), len(pairs.invented), mistaken))
    errors = np.array(rows, int).sum(axis=1)
    worst = Mistakes([], {})
    for rank, row in enumerate(np.argsort(-errors, kind="stable")[:MISTAKES]):
        if not errors[row]:
            break
        picture = f"worst/{rank + 1:02d}.png"
        worst.pictures[picture] = drawn(test.images[row], truth[row], found[row], classes)
        facts = dict(zip(("missed", "invented", "mistaken"), rows[row], strict=True))
        worst.rows.append({"file": test.names[row], **facts, "picture": picture})
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
