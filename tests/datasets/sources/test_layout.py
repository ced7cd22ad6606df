"""Which folders are splits, which are classes, and what is left out: said, and read one way."""

import json
import os
import unicodedata

import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.datasets.contents import describe
from mobilenet_tf.datasets.load import class_names, load_data, load_test
from mobilenet_tf.datasets.sources.layout import read_layout, split_of

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def total(data) -> int:
    return len(data.train) + len(data.validation) + len(data.test)


def reasons(data) -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in data.skipped}


def make_run(folder, picture=True) -> None:
    folder.mkdir(parents=True)
    write_text(folder / "config.toml", 'version = 2\ndata = "."\n[recipe]\nname = "x"\n')
    write_text(folder / "result.json", json.dumps({"version": 2, "model": {}}))
    if picture:
        (folder / "mistakes").mkdir()
        Image.new("RGB", (8, 8)).save(folder / "mistakes" / "0.png")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *[(name, "train") for name in ("train", "Training_Set", "TRAIN-data", "train2017")],
        *[(name, "validation") for name in ("val", "validation-set", "Dev", "valid_images")],
        *[(name, "test") for name in ("test", "test_set", "testing", "Test Split", "testset")],
        ("eval", "evaluation"),
        *[(name, None) for name in ("trained", "contest", "a", "set", "train_station", "2017")],
    ],
)
def test_usual_names_of_splits(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("training_set", "test_set"), {"train": "training_set", "test": "test_set"}),
        (
            ("train", "dev", "eval"),
            {"train": "train", "validation": "dev", "test": "eval"},
        ),
        (("Train", "EVAL"), {"train": "Train", "validation": "EVAL"}),
        (
            ("seg_train", "seg_test", "seg_val"),
            {"train": "seg_train", "validation": "seg_val", "test": "seg_test"},
        ),
        (
            ("train", "eval", "test"),
            {"train": "train", "validation": "eval", "test": "test"},
        ),
    ],
)
def test_splits_of_many_names(make_folder, make_spec, names, expected):
    root = make_folder({f"{name}/{label}": 5 for name in names for label in "ab"})
    assert {split: top.name for split, top in read_layout(root).tops.items()} == expected
    data = load_data(root, make_spec())
    assert data.classes == ("a", "b")
    assert total(data) == 10 * len(names)


def test_classes_with_names_of_splits_are_read_alike_in_evaluation(make_folder, make_spec):
    root = make_folder({"test": 6, "control": 7})
    assert load_data(root, make_spec()).classes == ("control", "test")
    split = load_test(str(root), ["control", "test"], make_spec()).images
    assert sorted(split.labels.tolist()) == [0] * 7 + [1] * 6


def test_evaluation_without_a_test_split_uses_what_training_holds_out(make_folder, make_spec):
    root = make_folder({f"{split}/{name}": 20 for split in ("train", "val") for name in "ab"})
    data = load_data(root, make_spec(), 3)
    split = load_test(str(root), ["a", "b"], make_spec(), 3).images
    assert split.names == data.test.names
    assert (split.images == data.test.images).all()


def test_runs_among_the_classes_are_left_out_and_said(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 4})
    before = load_data(root, make_spec())
    make_run(root / "runs" / "first")
    make_run(root / "runs" / "tune" / "trials" / "0")
    make_run(root / "here")
    make_run(root / "b" / "inside")
    data = load_data(root, make_spec())
    assert data.fingerprint == before.fingerprint
    assert set(reasons(data)) == {"runs/", "here/", "b/inside/"}
    assert "; 3 folders left out because it was written by mobilenet_tf (" in describe(data)
    assert set(reasons(data).values()) == {"it was written by mobilenet_tf"}
    assert len(load_test(str(root), ["a", "b"], make_spec()).images) == 8


def test_a_class_with_a_config_of_another_program_is_kept(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 4})
    (root / "b" / "config.toml").write_text("title = 'camera'")
    (root / "b" / "result.json").write_text("[1]")
    assert load_data(root, make_spec()).classes == ("a", "b")


def test_one_line_says_everything(make_folder, make_spec):
    root = make_folder({"a": 10, "b": 10})
    for index in range(3):
        (root / "a" / f"{index}.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    Image.new("RGB", (8, 8)).save(root / "stray.png")
    Image.new("RGB", (30, 30), "red").save(root / "b" / "red.png")
    line = describe(load_data(root, make_spec()))
    assert "\n" not in line
    assert line.startswith(f"{root}: 2 classes (a, b); 13 training, 4 validation and 4 test images")
    assert "4 left out: 3 because it is HEIC or a video; save it as JPEG or PNG (a/0.heic)" in line
    assert "1 because it lies outside the class folders (stray.png)" in line
    assert "1 image is of one colour, or nearly so (b/red.png)" in line


def test_links_to_folders_are_followed_and_loops_are_not(make_folder, make_spec, tmp_path):
    root = make_folder({"a": 4, "b": 4})
    elsewhere = make_folder({"more": 3}, tmp_path / "elsewhere")
    os.symlink(elsewhere / "more", root / "a" / "linked")
    os.symlink(root / "a", root / "a" / "linked again")
    os.mkdir(root / "b" / "inside")  # whose pictures must not be of both classes
    os.rename(root / "b" / "000.png", root / "b" / "inside" / "000.png")
    os.symlink(root / "b" / "inside", root / "a" / "of b")
    os.symlink(root, root / "b" / "up")
    os.symlink("itself", root / "b" / "itself")
    data = load_data(root, make_spec())
    assert set(reasons(data)) == {"a/linked again/", "a/of b/", "b/itself", "b/up/"}
    assert total(data) == 11
    names = [name for split in (data.train, data.validation, data.test) for name in split.names]
    assert sum(name.startswith("a/linked/") for name in names) == 3


@pytest.mark.parametrize(
    ("tree", "target", "link"),
    [
        (("train/a", "train/b"), "train", "test"),
        (("train/a", "train/b", "test/a"), "train/b", "test/b"),
        (("a", "b"), "a", "c"),
    ],
)
def test_one_folder_under_two_names_is_refused(make_folder, make_spec, tree, target, link):
    root = make_folder(dict.fromkeys(tree, 4))
    os.symlink(root / target, root / link)
    with pytest.raises(UserError, match="are the same folder under two names"):
        load_data(root, make_spec())


def test_names_of_macos_and_linux_are_one_class(make_folder, make_spec):
    root = make_folder({NFC: 4, "b": 4})
    make_folder({NFD: 3}, root)
    assert os.listdir(root).__len__() == 3
    data = load_data(root, make_spec())
    assert data.classes == ("b", NFC)
    assert total(data) == 11
    split = load_test(str(root), [NFD, "b"], make_spec()).images
    assert split.labels.tolist().count(0) == 7


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\x01b", b"   ", b"a\nb", b"\x7f"])
def test_names_that_no_model_can_hold_are_refused_at_once(make_folder, make_spec, name):
    root = make_folder({"a": 4, "b": 4})
    os.mkdir(os.path.join(os.fsencode(root), name))
    Image.new("RGB", (8, 8)).save(os.fsdecode(os.path.join(os.fsencode(root), name, b"0.png")))
    for read in (lambda: load_data(root, make_spec()), lambda: class_names(str(root))):
        with pytest.raises(UserError, match=r"rename it|without control characters") as error:
            read()
        assert "\n" not in str(error.value)
        str(error.value).encode()


def test_file_names_that_are_not_utf8_are_read(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 4})
    for name in (b"\xe9.png", b"\xe8.png"):
        os.link(root / "a" / "000.png", os.path.join(os.fsencode(root), b"a", name))
    with open(os.path.join(os.fsencode(root), b"a", b"\xea.png"), "wb"):
        pass
    data = load_data(root, make_spec())
    assert total(data) == 10
    names = [name for split in (data.train, data.validation, data.test) for name in split.names]
    json.dumps([*names, data.skipped], ensure_ascii=False).encode()


def test_very_deep_folders(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 4})
    descriptor = os.open(root / "a", os.O_RDONLY)
    for _ in range(3000):  # longer than any path that the system accepts
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    try:
        data = load_data(root, make_spec())
        assert total(data) == 8
        assert list(reasons(data).values()) == ["it lies in more than 64 folders"]
    finally:
        _remove_deep(root / "a")


def _remove_deep(top) -> None:
    """shutil.rmtree is recursive in older versions of Python."""
    while (top / "d").is_dir():
        inner = top / "d" / "d"
        if inner.is_dir():
            os.rename(inner, top / "e")
        os.rmdir(top / "d")
        if (top / "e").is_dir():
            os.rename(top / "e", top / "d")
