import os
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, InputSpec
from mobilenet_tf.datasets import storage
from mobilenet_tf.datasets.dataset import stored_input
from mobilenet_tf.datasets.images import read_image
from mobilenet_tf.datasets.load import load_data, load_test


def parts(data):
    return {part: getattr(data, part) for part in ("train", "validation", "test")}


def counts(data):
    return {part: np.bincount(split.labels).tolist() for part, split in parts(data).items()}


def test_sign_digits(signs, make_spec):
    spec = make_spec(size=48)
    seen = []
    data = load_data(signs, spec, seed=3, progress=lambda *at: seen.append(at))
    assert data.classes == tuple("0123456789")
    assert [len(split) for split in parts(data).values()] == [1442, 310, 310]
    assert data.train.images.shape == (1442, 55, 55, 3)
    assert data.test.images.shape == (310, 48, 48, 3)
    assert seen == 2 * [(done, 2062) for done in range(1, 2063)]  # first for near duplicates
    assert data.skipped == []
    names = [name for split in parts(data).values() for name in split.names]
    assert sorted(names) == sorted(p.relative_to(signs).as_posix() for p in signs.glob("*/*"))
    for part, split in parts(data).items():
        assert [data.classes[label] for label in split.labels] == [n[0] for n in split.names]
        side = split.images.shape[1]
        for row in range(0, len(split), 97):
            expected = read_image(signs / split.names[row], InputSpec(side))
            np.testing.assert_array_equal(split.images[row], expected, err_msg=part)


def test_same_seed_same_data(make_folder, make_spec, monkeypatch):
    root = make_folder({"a": 10, "b": 12})
    first = load_data(root, make_spec(), 1)
    listed = os.scandir
    monkeypatch.setattr(os, "scandir", lambda top: nullcontext([*listed(top)][::-1]))
    again = load_data(root, make_spec(), 1)
    assert again.fingerprint == first.fingerprint
    assert again.train.names == first.train.names
    assert load_data(root, make_spec(), 2).fingerprint != first.fingerprint
    assert load_data(root, make_spec(size=40), 1).train.names == first.train.names


def test_memory_map_holds_the_same(make_folder, make_spec, monkeypatch):
    root = make_folder({"a": 10, "b": 12})
    first = load_data(root, make_spec(), 1)
    monkeypatch.setattr(storage, "MEMORY_LIMIT", 0)
    again = load_data(root, make_spec(), 1)
    assert isinstance(again.train.images, np.memmap)
    assert again.fingerprint == first.fingerprint


def test_one_channel(make_folder, make_spec):
    data = load_data(make_folder({"a": 4, "b": 4}), make_spec(channels=1))
    assert data.test.images.shape == (2, 32, 32, 1)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Train", "VALID", "Test")])
def test_three_parts(make_folder, make_spec, names):
    train, validation, test = names
    root = make_folder(
        {
            f"{train}/a": 5,
            f"{train}/b": 6,
            f"{validation}/a": 2,
            f"{validation}/b": 1,
            f"{test}/b": 3,
        }
    )
    data = load_data(root, make_spec())
    assert counts(data) == {"train": [5, 6], "validation": [2, 1], "test": [0, 3]}
    assert data.validation.names[0] == f"{validation}/a/000.png"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"test": 4}, {"train": [17, 17], "validation": [3, 3], "test": [4, 4]}),
        ({"validation": 4}, {"train": [17, 17], "validation": [4, 4], "test": [3, 3]}),
        ({}, {"train": [14, 14], "validation": [3, 3], "test": [3, 3]}),
    ],
)
def test_missing_parts_come_from_train(make_folder, make_spec, given, expected):
    sizes = {"train": 20} | given
    root = make_folder({f"{part}/{name}": n for part, n in sizes.items() for name in "ab"})
    data = load_data(root, make_spec())
    assert counts(data) == expected
    names = [name for split in parts(data).values() for name in split.names]
    assert len(set(names)) == len(names)


def test_a_class_may_be_called_train(make_folder, make_spec):
    data = load_data(make_folder({"train": 4, "valid": 4, "val": 4}), make_spec())
    assert data.classes == ("train", "val", "valid")


def test_a_test_folder_without_labels_is_listed_as_skipped(make_folder, make_spec):
    root = make_folder({"train/a": 4, "train/b": 4, "test": 4, "notes": 1})
    data = load_data(root, make_spec())
    assert counts(data) == {"train": [2, 2], "validation": [1, 1], "test": [1, 1]}
    assert [entry["file"] for entry in data.skipped] == ["notes/", "test/"]


def test_litter_is_ignored_and_folders_below_a_class_are_not(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 3, "b/more": 1, ".cache": 2, "__MACOSX": 2})
    for name in ("a/Thumbs.db", "a/.DS_Store", "b/desktop.ini", "read me.txt"):
        (root / name).write_bytes(b"x")
    data = load_data(root, make_spec())
    assert data.classes == ("a", "b")
    assert data.skipped == []
    assert sum(len(split) for split in parts(data).values()) == 8


def test_names_with_accents_and_spaces(make_folder, make_spec):
    data = load_data(make_folder({"été à la plage": 4, "зима": 4, "猫 🐈": 4}), make_spec())
    assert data.classes == ("été à la plage", "зима", "猫 🐈")
    assert sum(len(split) for split in parts(data).values()) == 12


def test_unreadable_files_are_listed(make_folder, make_spec):
    root = make_folder({"a": 20, "b": 20})
    (root / "a" / "005.png").write_bytes(b"")
    (root / "b" / "note.jpg").write_text("hello")
    whole = (root / "b" / "011.png").read_bytes()
    (root / "b" / "011.png").write_bytes(whole[: len(whole) // 2])
    data = load_data(root, make_spec())
    assert data.skipped == [
        {"file": "a/005.png", "reason": "it is empty"},
        {"file": "b/011.png", "reason": "it is truncated"},
        {"file": "b/note.jpg", "reason": "it has no known image format"},
    ]
    splits = parts(data)
    assert sum(len(split) for split in splits.values()) == 38
    for split in splits.values():
        assert len(split.images) == len(split.labels) == len(split.names)
        for image, name in zip(split.images, split.names, strict=True):
            np.testing.assert_array_equal(
                image, read_image(root / name, InputSpec(len(image))), err_msg=name
            )


def test_each_part_keeps_every_class_whatever_is_unreadable(make_folder, make_spec):
    root = make_folder({"a": 6, "b": 6})
    lost = load_data(root, make_spec()).test.names
    for name in lost:
        (root / name).write_bytes(b"broken")
    data = load_data(root, make_spec())
    assert counts(data) == {"train": [3, 3], "validation": [1, 1], "test": [1, 1]}
    assert sorted(entry["file"] for entry in data.skipped) == lost


def test_the_error_names_a_class_without_readable_images_and_a_reason(make_folder, make_spec):
    root = make_folder({"a": 6, "b": 3})
    for path in (root / "b").iterdir():
        path.write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    with pytest.raises(UserError, match=r"'b' has 0 training images.* 3 could not be read.*HEIC"):
        load_data(root, make_spec())


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, "does not exist"),
        ({"a": 4}, "has 1 class folder; at least 2"),
        ({"all/a": 4, "all/b": 4}, "did you mean .*all"),
        ({"x/y/a": 4, "x/y/b": 4}, r"did you mean .*x/y\?"),
        ({"a ": 4, "a": 4, "b": 4}, "has the classes 'a ' and 'a', which differ only in spaces"),
        ({"a": 4, "b": 2}, "'b' has 2 training images; at least 3"),
        ({"a": 4, "b": 0}, "b has no files"),
        ({"train/a": 4, "train/b": 4, "val/a": 1, "valid/a": 1}, "has val/ and valid/; only one"),
        ({"train/a": 4, "train/b": 4, "test/c": 1}, "c is a class that .*train does not have"),
    ],
)
def test_errors(make_folder, make_spec, tmp_path, tree, message):
    make_folder(tree)
    with pytest.raises(UserError, match=message) as error:
        load_data(tmp_path / "data", make_spec())
    assert "\n" not in str(error.value)


def test_a_file_is_no_folder(tmp_path, make_spec):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png is a file"):
        load_data(tmp_path / "a.png", make_spec())


def test_the_error_names_a_locked_folder(make_folder, make_spec, monkeypatch):
    root = make_folder({"a": 4, "b": 4})

    listed = os.scandir

    def locked(path):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(UserError, match=r"data/a cannot be read: Permission denied"):
        load_data(root, make_spec())


@pytest.mark.parametrize("fit", FITS)
def test_an_oblong_input(make_folder, fit):
    root = make_folder({"a": 4, "b": 4})
    input_spec = InputSpec((40, 64), fit=fit, resize="bicubic")
    data = load_data(root, input_spec)
    assert data.train.images.shape == (4, 46, 74, 3)
    for name, split in parts(data).items():
        for row, file in enumerate(split.names):
            expected = read_image(root / file, stored_input(name, input_spec))
            np.testing.assert_array_equal(split.images[row], expected)
    found = load_test(str(root), ["b", "a"], input_spec)
    assert found.images.images.shape == (8, 40, 64, 3)
