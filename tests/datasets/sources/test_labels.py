"""Pictures with several labels: tables, and folders of links or copies."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.sources.file_index import FileIndex
from mobilenet_tf.datasets.sources.label_files import table_labels
from mobilenet_tf.datasets.sources.labels import PROPERTIES, load_labels, load_labels_test

SPEC = InputSpec(24)


@pytest.fixture
def pictures(tmp_path):
    """A folder with ten different pictures: images/00.png to images/09.png."""
    folder = tmp_path / "data" / "images"
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for number in range(10):
        pixels = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return folder.parent


def found(source, **options):
    """Return classes, and file -> its labels."""
    data = load_labels(str(source), SPEC, **options)
    return data, {
        name: {data.classes[index] for index in np.flatnonzero(row)}
        for split in (data.train, data.validation, data.test)
        for name, row in zip(split.names, split.labels, strict=True)
    }


ROWS = [
    "cat;red hat",
    "cat",
    "",
    "red hat",
    "cat;red hat",
    "dog",
    "dog;cat",
    "red hat;dog",
    "cat",
    "dog",
]
EXPECTED = {
    f"images/{number:02d}.png": {label for label in row.split(";") if label}
    for number, row in enumerate(ROWS)
}


def table(separator=",", between=";", name="images/{:02d}.png", header="file{}labels"):
    lines = [header.format(separator)] if header else []
    for number, row in enumerate(ROWS):
        lines.append(f"{name.format(number)}{separator}{row.replace(';', between)}")
    return "\n".join(lines) + "\n"


def quoted():
    rows = [f'"images/{n:02d}.png","{row.replace(";", ", ")}"' for n, row in enumerate(ROWS)]
    return "\r\n".join(["Image Name,Tags", *rows])


def one_hot():
    names = ["cat", "dog", "red hat"]
    rows = [
        f"{n:02d}.png,{', '.join(str(int(name in row.split(';'))) for name in names)}"
        for n, row in enumerate(ROWS)
    ]
    return "\n".join(["filename, cat, dog, red hat", *rows])


def long_form():
    rows = [f"images/{n:02d}.png,{label}" for n, row in enumerate(ROWS) for label in row.split(";")]
    return "\n".join(["file,label", *rows])


@pytest.mark.parametrize(
    "content",
    [
        table().encode(),
        b"\xef\xbb\xbf" + table().encode(),
        table(";", ",").encode("utf-16"),
        table("\t", "|").encode(),
        table(header="").encode(),
        table(name="{:02d}").encode(),
        table(name=".\\images\\{:02d}.PNG").encode(),
        table(name="/home/me/data/images/{:02d}.png").encode(),
        table(header="id{}label", name="{:02d}.png").replace("\n", "\n\n").encode(),
        quoted().encode(),
        one_hot().encode(),
        long_form().encode(),
    ],
    ids=[
        *("plain", "bom", "utf-16 and semicolons", "tabs and bars", "no header", "no extension"),
        *("windows", "longer paths", "blank lines", "quotes", "one column per label", "long"),
    ],
)
def test_tables(pictures, content):
    (pictures / "labels.csv").write_bytes(content)
    listed = table_labels(pictures / "labels.csv")
    assert listed.classes == ("cat", "dog", "red hat")
    assert listed.labels == EXPECTED
    assert not listed.splits
    assert listed.left_out == []


def test_a_table_as_a_dataset(pictures):
    (pictures / "labels.csv").write_text(table())
    data, labels = found(pictures / "labels.csv")
    assert data.classes == ("cat", "dog", "red hat")
    assert labels == EXPECTED
    assert data.train.labels.dtype == np.uint8
    assert [len(split) for split in (data.train, data.validation, data.test)] == [6, 2, 2]


def test_names_that_could_mean_several_files_mean_none(tmp_path):
    for name in ("a/one.jpg", "b/one.jpg", "a/Two.jpg", "a/two.jpg", "a/three.png", "a/three.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    find = FileIndex(tmp_path).find
    assert find("a/one.jpg") == find("A\\ONE.jpg") == find("data/a/one.jpg") == "a/one.jpg"
    assert find("a/Two.jpg") == "a/Two.jpg"
    assert find("three.png") == "a/three.png"
    for name in ("one.jpg", "a/TWO.jpg", "three", "c/one.jpg", "", "..", "a", "../a", "x" * 5000):
        assert find(name) is None


def test_splits_of_a_table(pictures):
    lines = table().splitlines()
    splits = ["Train"] * 6 + ["val"] * 2 + ["TEST"] * 2
    rows = [lines[0] + ",Split", *(f"{a},{b}" for a, b in zip(lines[1:], splits, strict=True))]
    source = pictures / "labels.csv"
    source.write_text("\n".join(rows))
    data, labels = found(source)
    assert labels == EXPECTED
    assert data.test.names == ["images/08.png", "images/09.png"]
    assert "no test image has red hat" in data.notes
    tested = load_labels_test(str(source), ["dog", "red hat", "fish", "cat"], SPEC)
    assert tested.images.names == data.test.names
    assert tested.images.labels.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    source.write_text("\n".join(rows).replace("TEST", "later"))
    with pytest.raises(UserError, match=r"labels.csv, line 10: Split is 'later'; it must be train"):
        found(source)


def test_what_cannot_be_read_is_left_out_with_the_reason(pictures):
    (pictures / "images" / "05.png").write_bytes(b"not a picture")
    (pictures / "other").mkdir()
    shutil.copy(pictures / "images" / "07.png", pictures / "other" / "07.png")
    outside = pictures.parent / "secret.png"
    shutil.copy(pictures / "images" / "01.png", outside)
    source = pictures / "labels.csv"
    rows = table().replace("images/07.png", "07.png") + f"../secret.png,cat\n{outside},cat\n"
    source.write_text(rows + "images/99.png,cat\n")
    data, labels = found(source)
    assert {entry["file"]: entry["reason"] for entry in data.skipped} == {
        "07.png": "there is no such file",  # two could be meant
        "../secret.png": "there is no such file",
        str(outside): "there is no such file",
        "images/99.png": "there is no such file",
        "images/05.png": "it has no known image format",
    }
    assert len(labels) == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "labels.csv is empty; it needs a row for each picture"),
        ("file,label\n", "labels.csv has a header only"),
        ("file,label\nx.png,cat\n", "labels.csv names no file that exists in .*, such as 'x.png'"),
        ("file,label\n00.png,cat,dog\n", "labels.csv, line 2 has 3 cells; the header has 2"),
        ("00.png\n", "labels.csv, line 1 has 1 cells; 2 are needed without a header"),
        ('file,label\n"00.png,cat\n', "labels.csv cannot be read as a table: unexpected end"),
        ("file,label\n00.png,cat\x07\n", "line 2: a label is 'cat.x07'; it must be text on one"),
        ("file,split\n00.png,train\n", "has no column of labels; its header is 'file', 'split'"),
        ("file,cat\n00.png,2\n", "line 2: cat is '2'; a column for a label holds 1 or 0"),
        ("file,label\n00.png,cat\n01.png,cat\n", "labels.csv has 1 label; at least 2 are needed"),
        (f"file,label\n00.png,{'x' * 200_000}\n", "field larger than field limit"),
    ],
)
def test_tables_that_are_refused(pictures, content, message):
    (pictures / "labels.csv").write_text(content)
    with pytest.raises(UserError, match=message):
        found(pictures / "labels.csv")


def test_a_label_that_cannot_be_learned_is_refused(pictures):
    source = pictures / "labels.csv"
    head, *rows = table().splitlines()
    splits = ["train"] * 2 + ["val"] * 4 + ["test"] * 4
    lines = [f"{row},{split}" for row, split in zip(rows, splits, strict=True)]
    source.write_text("\n".join([f"{head},split", *lines]))
    with pytest.raises(UserError, match="Label 'cat' is on all of the 2 training images"):
        found(source)
    source.write_text("\n".join([f"{head},split", *lines[2:], "images/01.png,,train"]))
    with pytest.raises(UserError, match="Label 'cat' is on none of the 1 training images"):
        found(source)


def test_folders_of_links_and_copies(pictures, tmp_path):
    root = tmp_path / "by label"
    for number, (name, labels) in enumerate(EXPECTED.items()):
        for label in sorted(labels):
            target = root / label / f"{number:02d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            if number % 2:
                shutil.copy(pictures / name, target)
            else:
                os.symlink(pictures / name, target)
    os.symlink(root / "nowhere.png", root / "dog" / "broken.png")
    data, labels = found(root)
    assert data.classes == ("cat", "dog", "red hat")
    assert labels == {
        f"{min(expected)}/{name[-6:]}": expected for name, expected in EXPECTED.items() if expected
    }
    assert [entry["file"] for entry in data.skipped] == ["dog/broken.png"]
    with pytest.raises(UserError, match="has the label 'cat', which is none of the model's: dog"):
        load_labels_test(str(root), ["dog", "red hat"], SPEC)


def test_a_picture_in_two_splits_is_left_out(pictures, tmp_path):
    root = tmp_path / "split"
    for number in range(10):
        split = "test" if number > 6 else "train"
        for label in ("cat", "dog")[number % 2 :] if number % 3 else ("cat",):
            (root / split / label).mkdir(parents=True, exist_ok=True)
            os.symlink(
                pictures / f"images/{number:02d}.png", root / split / label / f"{number}.png"
            )
    shutil.copy(pictures / "images/00.png", root / "test" / "dog" / "again.png")
    data, labels = found(root)
    assert data.skipped == [{"file": "train/cat/0.png", "reason": "it is in several splits"}]
    assert len(data.test) == 3
    assert len(labels) == 9


def test_properties_of_digits():
    data = load_labels("digits", SPEC)
    assert data.classes == tuple(PROPERTIES) == tuple(sorted(PROPERTIES))
    assert data.train.labels.shape == (len(data.train), 4)
    shares = data.train.labels.mean(axis=0)
    assert ((shares > 0.35) & (shares < 0.55)).all()
    assert not data.train.labels.any(axis=1).all()  # the digit 1 has none of them
    assert load_labels_test("digits", data.classes, SPEC).images.names == data.test.names
    with pytest.raises(UserError, match="The labels of digits are not those of the model"):
        load_labels_test("digits", ["even", "odd"], SPEC)
