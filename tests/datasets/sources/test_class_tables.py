"""Classes from tables, JSON lines, a table beside flat pictures, and zips of them."""

import json
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.load import class_names, load_data, load_test
from mobilenet_tf.datasets.sources import archive
from mobilenet_tf.datasets.sources.archive import unpacked
from mobilenet_tf.datasets.sources.folder import list_folder

ROWS = [(f"images/{n:02d}.png", ("red hat", "cat")[n % 2], f"p{n // 3}") for n in range(12)]
EXPECTED = {file: (label, group) for file, label, group in ROWS}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with twelve different pictures below images/."""
    root = tmp_path_factory.mktemp("flat")
    (root / "images").mkdir()
    random = np.random.default_rng(1)
    for file, *_ in ROWS:
        Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)).save(root / file)
    return root


def csv(separator=",", quote="", header=("file", "label", "group")):
    lines = [header, *ROWS] if header else ROWS
    return "\n".join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in lines)


def json_lines(keys=("file_name", "label", "group")):
    rows = (dict(zip(keys, row, strict=True)) | {"objects": {"bbox": []}} for row in ROWS)
    return "\n".join(map(json.dumps, rows))


def listed(source):
    """Return the classes, and file -> label and the files of its group."""
    listing = list_folder(source).listing
    names, numbers = listing.names, listing.together
    members = {one: {n for n, k in zip(names, numbers, strict=True) if k == one} for one in numbers}
    return listing.classes, {
        name: (listing.classes[label], members[one])
        for name, label, one in zip(names, listing.labels, numbers, strict=True)
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", csv().encode()),
        ("labels.csv", b"\xef\xbb\xbf" + csv(quote='"').encode()),
        ("labels.csv", csv(";", header=("Image Name", "Class", "Group ID")).encode("utf-16")),
        ("labels.tsv", csv("\t").replace("\n", "\r\n").encode()),
        ("anything.jsonl", json_lines().encode()),
        ("anything.ndjson", b"\xef\xbb\xbf" + json_lines(("path", "Label", "Group")).encode()),
    ],
    ids=["plain", "bom and quotes", "semicolons", "tabs", "json lines", "other keys"],
)
@pytest.mark.parametrize("place", ["table", "beside", "zip"])
def test_tables(pictures, tmp_path, name, content, place):
    root = tmp_path / "data"
    root.mkdir()
    (root / "images").symlink_to(pictures / "images")
    source = table = root / name
    if place != "table":  # what a folder is described by has one of a few names
        table = root / f"metadata{'.jsonl' if 'json' in table.suffix or 'nd' in name else '.csv'}"
        source = root
    table.write_bytes(content)
    if place == "zip":
        source = tmp_path / "all.zip"
        with zipfile.ZipFile(source, "w") as packed:
            packed.write(table, f"photos/{table.name}")
            packed.writestr("__MACOSX/photos/._metadata.csv", b"\0")
            for file, *_ in ROWS:
                packed.write(pictures / file, f"photos/{file}")
    classes, found = listed(source)
    assert classes == ("cat", "red hat")
    groups = {group: {f for f, _, one in ROWS if one == group} for *_, group in ROWS}
    assert found == {file: (label, groups[one]) for file, (label, one) in EXPECTED.items()}
    assert class_names(source) == classes


def test_a_table_is_trained_on_and_evaluated(pictures):
    splits = ["train"] * 8 + ["val"] * 2 + ["Test"] * 2
    rows = [f"{file},{label},{split}" for (file, label, _), split in zip(ROWS, splits, strict=True)]
    source = pictures / "split.csv"
    rows += ["images/00.png,cat,train", "gone.png,cat,train", "images/03.png,,train"]
    source.write_text("\n".join(["file,label,split", *rows]))
    data = load_data(source, InputSpec(16))
    assert data.classes == ("cat", "red hat")
    assert [len(one) for one in (data.train, data.validation, data.test)] == [7, 2, 2]
    assert data.skipped == [
        {"file": "gone.png", "reason": "there is no such file"},
        {"file": "images/00.png", "reason": "it has the labels cat and red hat"},
    ]
    tested = load_test(str(source), ["red hat", "dog", "cat"], InputSpec(16)).images
    assert (tested.names, tested.labels.tolist()) == (["images/10.png", "images/11.png"], [0, 2])
    with pytest.raises(UserError, match="has the class 'cat', which is none of the model's: dog"):
        load_test(str(source), ["dog", "red hat"], InputSpec(16))


def test_a_table_about_something_else_does_not_count(pictures, tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_bytes((pictures / ROWS[0][0]).read_bytes())
    (tmp_path / "metadata.csv").write_text("file_name,caption\na/1.png,noise\n")
    assert list_folder(tmp_path).listing.classes == ("a", "b")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "a.jsonl, line 1 is not JSON"),
        ("[" * 100_000, "a.jsonl, line 1 is not JSON"),
        ('\n["file"]', "a.jsonl, line 2 is not a JSON object such as"),
        ('{"label": "cat"}', "a.jsonl has no key of files, such as file or file_name; it has"),
        ("", "a.jsonl has no key of files"),
        ('{"file": "gone.png", "label": "cat"}', "a.jsonl names no file that exists"),
    ],
)
def test_wrong_json_lines(tmp_path, content, said):
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(UserError, match=said):
        list_folder(tmp_path / "a.jsonl")


def member(name, mode=stat.S_IFREG | 0o644):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../out.png": member("../out.png")}, "'../out.png' leads out of the archive"),
        ({"/out.png": member("/out.png")}, "'/out.png' leads out of the archive"),
        ({"C:/out.png": member("C:/out.png")}, "'C:/out.png' leads out of the archive"),
        ({"a": member("a\\..\\..\\b.png")}, "leads out of the archive"),
        ({"link": member("link", stat.S_IFLNK | 0o777)}, "'link' is a link or a device"),
        ({"long": member("n" * 300)}, "has a name that is too long"),
        ({"deep": member("d/" * 70 + "a")}, "has a name that is too long"),
        ({"bomb": member("bomb")}, "it claims 1 files of 3,000,000 bytes"),
        ({"a": member("a"), "a/b": member("a/b")}, "cannot be unpacked"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_hostile_archives(tmp_path, monkeypatch, members, said):
    monkeypatch.setattr(archive, "_MOST_EXPANSION", 2)
    source = tmp_path / "in" / "a.zip"
    source.parent.mkdir()
    with zipfile.ZipFile(source, "w") as packed:
        for name, info in members.items():
            packed.writestr(info, b"\0" * (3_000_000 if name == "bomb" else 3))
    with pytest.raises(UserError, match=said):
        unpacked(source)
    assert sorted(tmp_path.iterdir()) == [source.parent]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip" * 99])
def test_a_file_that_is_no_archive(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.zip cannot be unpacked: File is not a zip file"):
        unpacked(tmp_path / "a.zip")
