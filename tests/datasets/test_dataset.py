import tempfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import RESIZES, InputSpec
from mobilenet_tf.datasets import storage
from mobilenet_tf.datasets.dataset import (
    Dataset,
    Split,
    balanced,
    rescale,
    stored_input,
    with_margin,
)
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.resizing import resized
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import allocate

CLASSES = ("ant", "bee", "cat")


def listing(counts=(3, 20, 101)):
    names = [f"{CLASSES[label]}/{i}" for label, count in enumerate(counts) for i in range(count)]
    return names, [label for label, count in enumerate(counts) for _ in range(count)]


def assign(names, labels, splits=None, classes=CLASSES, seed=1):
    return assign_splits(Listing(classes, names, labels, splits or ["train"] * len(names)), seed)


def names_of(chosen, names):
    return {part: [names[index] for index in rows] for part, rows in chosen.items()}


def test_shares_of_each_class():
    names, labels = listing()
    chosen = assign(names, labels)
    counts = {part: np.bincount(np.array(labels)[rows]).tolist() for part, rows in chosen.items()}
    assert counts == {"train": [1, 14, 71], "validation": [1, 3, 15], "test": [1, 3, 15]}
    assert sorted(np.concatenate(list(chosen.values()))) == list(range(len(names)))


def test_order_of_listing_does_not_matter_but_the_seed_does():
    names, labels = listing()
    first = names_of(assign(names, labels), names)
    order = np.random.default_rng(0).permutation(len(names))
    shuffled = [names[index] for index in order]
    again = assign(shuffled, np.array(labels)[order])
    assert names_of(again, shuffled) == first
    assert names_of(assign(names, labels, seed=2), names) != first


def test_images_keep_their_part_when_others_are_added():
    names, labels = listing((40, 40, 100))
    more, more_labels = listing((40, 40, 110))
    few = names_of(assign(names, labels), names)
    many = names_of(assign(more, more_labels), more)
    moved = [name for part in few for name in few[part] if name not in many[part]]
    assert len(moved) <= 6  # those at the borders of the third class


def test_accents_are_spelt_in_two_ways():
    one = [f"cafe\u0301/{i}" for i in range(20)] + [f"b/{i}" for i in range(20)]
    other = [f"caf\u00e9/{i}" for i in range(20)] + [f"b/{i}" for i in range(20)]
    labels = [0] * 20 + [1] * 20
    chosen = [assign(names, labels, classes=("c", "b"), seed=3) for names in (one, other)]
    for part in chosen[0]:
        assert set(chosen[0][part]) == set(chosen[1][part])


def test_given_parts_stay():
    names, labels = listing((20, 20, 20))
    parts = ["test" if name.endswith("7") else "train" for name in names]
    chosen = names_of(assign(names, labels, parts), names)
    assert chosen["test"] == sorted(name for name in names if name.endswith("7"))
    assert len(chosen["validation"]) == 9


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_error_names_a_class_that_is_too_small(count):
    names, labels = listing((20, count, 20))
    with pytest.raises(UserError, match=f"'bee' has {count} training images; at least 3"):
        assign(names, labels)


def test_one_class_is_not_enough():
    with pytest.raises(UserError, match="at least 2"):
        assign(["a/1"], [0], classes=("a",))


def test_large_arrays_live_in_a_file(monkeypatch):
    assert not isinstance(allocate((4, 2)), np.memmap)
    monkeypatch.setattr(storage, "MEMORY_LIMIT", 7)
    array = allocate((4, 2))
    assert isinstance(array, np.memmap)
    assert array.shape == (4, 2)


def test_no_room_for_the_file(monkeypatch):
    monkeypatch.setattr(storage, "MEMORY_LIMIT", 0)
    with pytest.raises(UserError, match=r"GB in .*; set TMPDIR"):
        allocate((2**60,))
    assert tempfile.gettempdir()


def test_balanced():
    labels = np.array([0] * 50 + [1] * 5 + [2] * 50)
    rows = balanced(labels, 30, seed=0)
    assert np.bincount(labels[rows]).tolist() in ([13, 5, 12], [12, 5, 13])
    assert np.bincount(labels[balanced(labels, 9, seed=0)]).tolist() == [3, 3, 3]
    assert len(set(rows)) == 30
    assert len(balanced(labels, 1000, 0)) == 105
    assert np.array_equal(rows, balanced(labels, 30, 0))
    assert not np.array_equal(rows, balanced(labels, 30, 1))


def test_fingerprint_sees_every_change():
    def make(pixel=0, label=0, name="a", classes=("x", "y")):
        split = Split(np.full((1, 2, 2, 1), pixel, np.uint8), np.array([label]), [name])
        return Dataset("s", classes, split, split, split).fingerprint

    prints = [make(), make(pixel=1), make(label=1), make(name="b"), make(classes=("x", "z"))]
    assert len(set(prints)) == 5
    assert make() == make()


def test_an_empty_source(make_spec):
    with pytest.raises(UserError, match="empty"):
        load_data("", make_spec())


def test_the_margin_of_training_images():
    assert with_margin(InputSpec(32)).shape == (37, 37, 3)
    oblong = InputSpec((64, 96), 1, 0.0, 255.0, 0.875, "pad", "box")
    assert with_margin(oblong) == replace(oblong, size=(74, 110))
    assert with_margin(InputSpec((32, 8192))).shape == (37, 8192, 3)
    assert stored_input("train", oblong) == with_margin(oblong)
    assert stored_input("validation", oblong) == stored_input("test", oblong) == oblong


@pytest.mark.parametrize("channels", [1, 3])
def test_rescaling_uses_the_filter_of_the_input(channels):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, 74, 110, channels), dtype=np.uint8)
    for resize in RESIZES:
        scaled = rescale(images, InputSpec((64, 96), channels, resize=resize))
        assert (scaled.shape, scaled.dtype) == ((2, 64, 96, channels), np.uint8)
        expected = resized(Image.fromarray(images[1].squeeze()), (96, 64), resize)
        np.testing.assert_array_equal(scaled[1].squeeze(), np.asarray(expected))
    assert rescale(images, InputSpec((74, 110), channels)) is images
