"""Average precision is that of pycocotools."""

import contextlib
import io

import numpy as np
import pytest

from mobilenet_tf.tasks.detection.average_precision import (
    Truth,
    average_precision,
    precision_curves,
)
from mobilenet_tf.tasks.detection.decoding import Found

CLASSES = 4


def _boxes(random: np.random.Generator, count: int) -> np.ndarray:
    sides = np.exp(random.uniform(np.log(8), np.log(200), (count, 2)))
    corner = random.uniform(0, 1, (count, 2)) * ([640, 480] - np.minimum(sides, [600, 440]))
    return np.concatenate([corner, corner + sides], axis=1)


def scene(random: np.random.Generator) -> tuple[Truth, Found]:
    """Objects, and boxes that miss some, hit some twice and invent some, with equal scores."""
    objects = _boxes(random, random.integers(0, 9))
    classes = random.integers(0, CLASSES - 1, len(objects))  # the last class has no object
    crowd = random.uniform(size=len(objects)) < 0.15
    hits = random.integers(0, max(1, len(objects)), random.integers(0, 12))[: 12 * len(objects)]
    near = objects[hits] + random.normal(0, 4, (len(hits), 4)) if len(objects) else objects
    near = np.stack(
        [*np.minimum(near[:, :2], near[:, 2:]).T, *np.maximum(near[:, :2], near[:, 2:]).T], axis=1
    )
    extra = _boxes(random, random.integers(0, 6))
    labels = np.concatenate([classes[hits] if len(objects) else [], [0] * len(extra)])
    wrong = random.uniform(size=len(labels)) < 0.15
    labels = np.where(wrong, random.integers(0, CLASSES, len(labels)), labels).astype(int)
    scores = random.integers(1, 12, len(labels)) / 12
    return (
        Truth(objects, classes, crowd),
        Found(np.concatenate([near, extra]), labels, scores),
    )


def reference(truth, found) -> np.ndarray:
    """The twelve figures of pycocotools."""
    from pycocotools import coco
    from pycocotools.cocoeval import COCOeval

    def xywh(box):
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    annotations = [
        {
            "image_id": picture,
            "category_id": int(label),
            "bbox": xywh(box),
            "area": float((box[2] - box[0]) * (box[3] - box[1])),
            "iscrowd": int(is_crowd),
        }
        for picture, one in enumerate(truth)
        for box, label, is_crowd in zip(*one, strict=True)
    ]
    results = [
        {"image_id": picture, "category_id": int(label), "bbox": xywh(box), "score": float(score)}
        for picture, one in enumerate(found)
        for box, label, score in zip(*one, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = {
            "images": [{"id": picture} for picture in range(len(truth))],
            "categories": [{"id": label} for label in range(CLASSES)],
            "annotations": [one | {"id": index + 1} for index, one in enumerate(annotations)],
        }
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_pycocotools(seed):
    random = np.random.default_rng(seed)
    truth, found = zip(*(scene(random) for _ in range(40)), strict=True)
    curves = precision_curves(truth, found, CLASSES)
    figures = [
        average_precision(curves["all"]),
        average_precision(curves["all"][0]),
        average_precision(curves["all"][5]),
        *(average_precision(curves[name]) for name in ("small", "medium", "large")),
    ]
    assert figures == pytest.approx(reference(truth, found)[:6].tolist(), abs=1e-6)
    assert 0.05 < figures[0] < 0.95


def test_boxes_that_are_the_objects_are_perfect():
    random = np.random.default_rng(9)
    truth = [scene(random)[0] for _ in range(10)]
    found = [Found(one.boxes, one.classes, np.ones(len(one.boxes))) for one in truth]
    curves = precision_curves(truth, found, CLASSES)["all"]
    assert average_precision(curves) == 1
    assert np.isnan(curves[:, :, CLASSES - 1]).all()


def test_nothing_to_find_has_no_figure():
    nothing = Truth(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, bool))
    found = Found(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
    assert average_precision(precision_curves([nothing], [found], CLASSES)["all"]) is None
