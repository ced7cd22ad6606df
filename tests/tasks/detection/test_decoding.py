"""Decoding of raw outputs: golden vectors, suppression, anchors, offsets."""

import json
from itertools import pairwise

import numpy as np
import pytest

from mobilenet_tf.tasks.detection.anchors import anchor_boxes, paper_sizes, sizes_of
from mobilenet_tf.tasks.detection.boxes import areas, from_offsets, overlaps, suppress
from mobilenet_tf.tasks.detection.decoding import Rules, decode
from tests.tasks.detection.write_decoding import FILE, cases

GOLDEN = json.loads(FILE.read_text())["cases"]


def _arrays(case: dict) -> list[np.ndarray]:
    """Return the outputs of a golden case with their shapes."""
    sides = [side for pair in case["maps"] for side in (pair, pair)]
    return [
        np.float32(values).reshape(1, *side, -1)
        for values, side in zip(case["outputs"], sides, strict=True)
    ]


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_boxes_are_those_of_the_golden_vectors(case):
    (found,) = decode(_arrays(case), Rules(**case["rules"]))
    assert found.classes.tolist() == case["found"]["classes"]
    assert found.boxes.ravel() == pytest.approx(np.ravel(case["found"]["boxes"]), abs=1e-5)
    assert found.scores == pytest.approx(case["found"]["scores"], abs=1e-5)
    assert len(found.boxes) <= case["rules"]["most"]


def test_golden_vectors_are_what_the_program_writes():
    assert json.loads(json.dumps(cases())) == GOLDEN


@pytest.mark.parametrize("case", GOLDEN, ids=[case["name"] for case in GOLDEN])
def test_boxes_keep_the_rules(case):
    """Decode one box after the other, as a device would."""
    rules = Rules(**case["rules"])
    outputs = _arrays(case)
    anchors = anchor_boxes(case["maps"], rules.sizes)
    offsets = np.concatenate([one.reshape(-1, 4) for one in outputs[0::2]])
    logits = np.concatenate(
        [
            scores.reshape(len(boxes.reshape(-1, 4)), -1)
            for boxes, scores in zip(outputs[0::2], outputs[1::2], strict=True)
        ]
    )[:, int(rules.background) :]
    candidates = sorted(
        (-logit, place, label)
        for place, row in enumerate(logits)
        for label, logit in enumerate(row)
        if 1 / (1 + np.exp(-np.float64(logit))) >= rules.score
    )
    kept: list = []
    for _, place, label in candidates[:400]:
        box = np.clip(from_offsets(offsets[place][None], anchors[place][None]), 0, 1)[0]
        same = [other for other, known in kept if known == label]
        if not same or overlaps(box[None], np.stack(same)).max() <= rules.overlap:
            kept.append((box, label))
    kept = kept[: rules.most]
    assert case["found"]["classes"] == [label for _, label in kept]
    assert np.ravel(case["found"]["boxes"]) == pytest.approx(
        np.ravel([box for box, _ in kept]), abs=1e-5
    )


def test_offsets_of_zero_are_the_anchors():
    anchors = anchor_boxes([(5, 4), (2, 2)], paper_sizes(2))
    assert from_offsets(np.zeros_like(anchors), anchors) == pytest.approx(anchors, abs=1e-6)


def test_offsets_are_in_the_units_of_tensorflow_lites_operator():
    # y, x, height and width with the scales 10, 10, 5, 5.
    anchor = np.float32([[0.2, 0.4, 0.4, 0.8]])
    moved = from_offsets(np.float32([[1, -2, 5 * np.log(2), 5 * np.log(0.5)]]), anchor)
    y, x = 0.6 + 1 / 10 * 0.4, 0.3 - 2 / 10 * 0.2
    assert moved[0] == pytest.approx([x - 0.05, y - 0.4, x + 0.05, y + 0.4], abs=1e-6)


def test_the_papers_anchors():
    sizes = paper_sizes(6)
    assert [len(one) for one in sizes] == [3, 6, 6, 6, 6, 6]
    assert sizes[0][0] == (0.1, 0.1)
    assert sizes[1][0] == pytest.approx((0.35, 0.35))
    assert sizes[5][0] == pytest.approx((0.95, 0.95))
    assert sizes[5][5][0] == pytest.approx(np.sqrt(0.95))
    assert sizes[2][3][0] / sizes[2][3][1] == pytest.approx(3)
    # The grids of 320 pixels: SSDLite has 2,034 anchors.
    grids = [(side, side) for side in (20, 10, 5, 3, 2, 1)]
    assert len(anchor_boxes(grids, sizes)) == 20 * 20 * 3 + (100 + 25 + 9 + 4 + 1) * 6 == 2034


def test_anchors_of_the_data_fit_it():
    random = np.random.default_rng(0)
    kinds = np.array([[0.05, 0.06], [0.2, 0.1], [0.5, 0.6], [0.1, 0.3]])
    boxes = kinds[random.integers(0, 4, 400)] * random.uniform(0.9, 1.1, (400, 2))
    sizes = sizes_of(boxes, maps=2, per_map=2)
    flat = np.array([size for one in sizes for size in one])
    assert flat == pytest.approx(kinds[np.argsort(kinds.prod(axis=1))], rel=0.1)
    assert all(first[0] * first[1] <= second[0] * second[1] for first, second in pairwise(flat))
    assert sizes_of(boxes, 2, 2) == sizes
    assert sizes_of(boxes[:1], 2, 2)  # fewer boxes than anchors


def test_overlaps_by_hand():
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 5, 5]], float)
    expected = [[1, 1 / 7, 0], [1 / 7, 1, 0], [0, 0, 0]]
    assert overlaps(boxes, boxes) == pytest.approx(np.array(expected))
    crowd = np.array([True, False, False])
    assert overlaps(boxes[1:2], boxes, crowd)[0] == pytest.approx([0.25, 1, 0])
    assert areas(boxes).tolist() == [4, 4, 0]


def test_suppression_is_within_a_class():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8], [20, 20, 30, 30]], float)
    assert suppress(boxes, np.array([0, 0, 1, 0]), 0.5, 10).tolist() == [0, 2, 3]
    assert suppress(boxes, np.array([0, 0, 1, 0]), 0.5, 2).tolist() == [0, 2]
