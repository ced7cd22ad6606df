"""Scenes of digits: boxes and masks are exact, splits share no digit, the seed decides all."""

from itertools import islice

import numpy as np
import pytest

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets import scenes
from mobilenet_tf.datasets.placed import Placed
from mobilenet_tf.datasets.scenes import SIDE, compose, scene_dataset
from mobilenet_tf.datasets.sources.digits import bundled_digits
from mobilenet_tf.datasets.splitting import assign_splits


@pytest.fixture(scope="module")
def some() -> list:
    return list(islice(compose("train", 3), 60))


def test_boxes_are_the_extents_of_the_masks(some):
    for scene in some:
        assert len(scene.digits) == scene.owners.max()
        assert 2 <= len(scene.digits) <= 6
        for index, (left, top, right, bottom, digit) in enumerate(scene.boxes().astype(int)):
            own = scene.owners == index + 1
            assert own[top:bottom, left:right].sum() == own.sum() > 0
            for edge in (own[top], own[bottom - 1], own[:, left], own[:, right - 1]):
                assert edge.any()
            assert (scene.mask()[own] == digit + 1).all()
        assert (scene.mask()[scene.owners == 0] == 0).all()


def test_sizes_span_what_is_promised(some):
    boxes = np.concatenate([scene.boxes() for scene in some])
    heights = boxes[:, 3] - boxes[:, 1]
    assert heights.max() <= 40
    assert np.percentile(heights, 5) >= 11  # an overlap may hide an edge
    assert heights.max() > 35
    assert heights.min() < 16
    assert set(boxes[:, 4]) == set(range(10))


def test_digits_hide_little_of_each_other():
    """A solid square shows at least 70 % of its extents, unless more of it is hidden."""
    square, random = np.ones((64, 64), np.float32), np.random.default_rng(0)
    hidden = 0
    for _ in range(100):
        scene = scenes._compose(random, [square], np.array([8]))
        for index, (left, top, right, bottom, _) in enumerate(scene.boxes().astype(int)):
            shown = (scene.owners[top:bottom, left:right] == index + 1).mean()
            assert shown >= 0.69
            hidden += shown < 1
    assert hidden > 20


def test_fragments_are_seen_and_are_background(monkeypatch):
    monkeypatch.setattr(scenes, "_ATTEMPTS", 0)  # no digit
    pictures = []
    for count in (0, 3):
        monkeypatch.setattr(scenes, "_FRAGMENTS", (count, count))
        scene = next(compose("train", 3))
        assert not scene.owners.any()
        pictures.append(scene.picture.astype(int))
    changed = np.abs(pictures[1] - pictures[0]).max(axis=2) > 40
    assert 20 < changed.sum() < 3 * 20 * 40


def test_digits_differ_from_the_background(some):
    for scene in some:
        inside = scene.picture[scene.owners > 0].mean()
        outside = scene.picture[scene.owners == 0].mean()
        assert abs(inside - outside) > 40


def test_no_digit_is_in_two_splits(monkeypatch):
    listing, greys = bundled_digits()
    used = {}
    for split in ("train", "validation", "test"):
        seen: list = []
        monkeypatch.setattr(scenes, "_glyph", lambda grey, seen=seen: seen.append(grey) or grey)
        monkeypatch.setitem(scenes.COUNTS, split, 0)
        assert list(compose(split, 5)) == []
        used[split] = {grey.tobytes() for grey in seen}
        expected = assign_splits(listing, 5)[split]
        assert used[split] == {greys[index].tobytes() for index in expected}
    assert not used["train"] & used["test"]
    assert not used["train"] & used["validation"]
    assert not used["validation"] & used["test"]


def test_a_scene_depends_on_seed_and_number_alone(some):
    again = next(islice(compose("train", 3), 7, None))
    assert (again.picture == some[7].picture).all()
    assert (again.owners == some[7].owners).all()
    other = next(compose("train", 4))
    assert (other.picture != some[0].picture).any()


def test_a_dataset_of_scenes(monkeypatch):
    for split in scenes.COUNTS:
        monkeypatch.setitem(scenes.COUNTS, split, 5)
    spec = InputSpec(SIDE)
    place = lambda scene, framing: Placed(scene.mask())  # noqa: E731
    data = scene_dataset(tuple("0123456789"), place, spec, seed=1)
    assert data.test.labels.shape == (5, SIDE, SIDE)
    assert data.test.labels.dtype == np.uint8
    assert data.train.images.shape == (5, 110, 110, 3)
    assert (data.test.images[3] == next(islice(compose("test", 1), 3, None)).picture).all()
    assert data.test.names[3] == "test/0003"
