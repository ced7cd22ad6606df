"""tensorflow-datasets is optional: a stand-in with the parts of its interface that are used."""

import sys
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.load import load_data


def install(
    monkeypatch,
    splits,
    *,
    channels=3,
    dtype=np.uint8,
    keys=("image", "label"),
    fail=None,
    damaged=(),
):
    """`splits` maps a name to the labels of its images."""
    seen = []

    class Builder:
        info = SimpleNamespace(
            supervised_keys=keys,
            splits={
                name: SimpleNamespace(num_examples=len(found)) for name, found in splits.items()
            },
            features={
                "image": SimpleNamespace(shape=(None, None, channels), np_dtype=dtype),
                "label": SimpleNamespace(shape=(), np_dtype=np.int64, names=["ant", "bee"]),
            },
        )

        def download_and_prepare(self):
            if fail:
                raise fail

        def as_dataset(self, split, shuffle_files, decoders=None):
            assert not shuffle_files
            for index, label in enumerate(splits[split]):
                seen.append(split)
                encoded = b"damaged" if index in damaged else png(100 * max(label, 0) + index)
                yield {"image": encoded, "label": np.int64(label)}

    def png(grey):
        content = BytesIO()
        pixels = np.full((40, 50, channels), grey, np.uint8)
        Image.fromarray(np.squeeze(pixels)).save(content, "PNG")
        return content.getvalue()

    def builder(name):
        if name != "toy":
            raise LookupError(f"Dataset {name} not found.\nAvailable datasets:\n ...")
        return Builder()

    module = SimpleNamespace(
        builder=builder, as_numpy=iter, decode=SimpleNamespace(SkipDecoding=object)
    )
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    return seen


def test_only_train(monkeypatch, make_spec):
    install(monkeypatch, {"train": [0, 1] * 20})
    done = []
    data = load_data("tfds:toy", make_spec(), 0, lambda *at: done.append(at))
    assert data.classes == ("ant", "bee")
    assert [len(s) for s in (data.train, data.validation, data.test)] == [28, 6, 6]
    assert done[-1] == (40, 40)
    assert data.train.images.shape == (28, 37, 37, 3)
    for split in (data.train, data.validation, data.test):
        numbers = [int(name.split("/")[1]) for name in split.names]
        np.testing.assert_array_equal(split.labels, np.array(numbers) % 2)
        np.testing.assert_array_equal(split.images[:, 0, 0, 0], 100 * split.labels + numbers)
    assert data.notes[0].startswith("40 images are of one colour, or nearly so (train/0000000, ")


def test_given_splits_are_used(monkeypatch, make_spec):
    splits = {"train": [0, 1] * 20, "test": [0, 1, 1], "extra": [0]}
    install(monkeypatch, splits, channels=1)
    data = load_data("tfds:toy", make_spec(channels=1))
    assert [len(s) for s in (data.train, data.validation, data.test)] == [34, 6, 3]
    assert data.test.names == ["test/0000000", "test/0000001", "test/0000002"]
    assert data.test.labels.tolist() == [0, 1, 1]


def test_damaged_images_are_left_out_as_those_of_a_folder(monkeypatch, make_spec):
    install(monkeypatch, {"train": [0, 1] * 20, "test": [0, 1, 0, 1]}, damaged=(1, 3, 30))
    data = load_data("tfds:toy", make_spec())
    names = ("test/0000001", "test/0000003", "train/0000001", "train/0000003", "train/0000030")
    reason = "it has no known image format"
    assert data.skipped == [{"file": name, "reason": reason} for name in names]
    assert data.test.names == ["test/0000000", "test/0000002"]


def test_a_split_without_labels_is_not_used(monkeypatch, make_spec):
    seen = install(monkeypatch, {"train": [0, 1] * 20, "test": [-1, -1]})
    assert len(load_data("tfds:toy", make_spec()).test) == 6
    assert seen.count("test") == 1


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ({}, "nothing", r"tfds:nothing cannot be prepared: Dataset nothing not found\.$"),
        ({"fail": OSError("no network")}, "toy", "cannot be prepared: no network"),
        ({"keys": None}, "toy", "does not consist of 8-bit images"),
        ({"keys": ("image", "image")}, "toy", "does not consist of 8-bit images"),
        ({"dtype": np.float32}, "toy", "does not consist of 8-bit images"),
    ],
)
def test_errors(monkeypatch, make_spec, options, name, message):
    install(monkeypatch, {"train": [0, 1] * 20}, **options)
    with pytest.raises(UserError, match=message):
        load_data(f"tfds:{name}", make_spec())


def test_no_train_split(monkeypatch, make_spec):
    install(monkeypatch, {"test": [0, 1]})
    with pytest.raises(UserError, match="has no split `train`"):
        load_data("tfds:toy", make_spec())


def test_not_installed(monkeypatch, make_spec):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"install mobilenet-tf\[tfds\]"):
        load_data("tfds:mnist", make_spec())


def test_an_oblong_input(monkeypatch):
    install(monkeypatch, {"train": [0, 1] * 20})
    data = load_data("tfds:toy", InputSpec((40, 64), fit="stretch"))
    assert data.train.images.shape == (28, 46, 74, 3)
    assert data.test.images.shape == (6, 40, 64, 3)
