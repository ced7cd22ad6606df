"""What is wrong with annotations is listed with its reason."""

import json
from collections import Counter

import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.sources.annotations.load import (
    load_boxes,
    load_test_boxes,
    read_annotations,
)
from tests.datasets.sources.annotated import HIGH, WIDE, voc

SPEC = InputSpec(64, fit="stretch")


def test_everything_awkward_is_listed(tmp_path, photos):
    """Each awkward picture is left out or repaired, with the reason."""
    names = [
        "good",
        "turned",
        "twice",
        "empty",
        "other",
        "unlabelled",
        "entity",
        "broken",
        "noname",
        "nobox",
        "half",
    ]
    photos(*(tmp_path / f"{name}.jpg" for name in names))
    rotated = Image.Exif()
    rotated[0x0112] = 6  # turned by a quarter when it is shown
    photos(tmp_path / "exif.jpg", tmp_path / "exif_stored.jpg", exif=rotated)
    (tmp_path / "half.jpg").write_bytes((tmp_path / "half.jpg").read_bytes()[:200])
    good = ("cat", (10, 20, 30, 50))
    texts = {
        "good": voc(good, filename="wrong/good.jpg"),
        "turned": voc(("dog", (30, 50, 10, 20)), filename="turned.jpg"),
        "twice": voc(good, good, ("dog", (5, 5, 5, 9)), size=(0, 0), filename="twice"),
        "empty": voc(filename="empty.jpg"),
        "other": voc(good, size=(HIGH, WIDE), filename="other.jpg"),
        "entity": '<!DOCTYPE a [<!ENTITY b "c">]>' + voc(good, filename="entity.jpg"),
        "broken": voc(good)[:-5],
        "noname": voc(("", (1, 2, 30, 40)), filename="noname.jpg"),
        "nobox": voc(("cat", ("a", 2, 30, 40)), filename="nobox.jpg"),
        "half": voc(good, filename="half.jpg"),
        "missing": voc(good, filename="missing.jpg"),
        # The picture is 60 wide and 80 high when it is upright, and so are its boxes.
        "exif": voc(("cat", (0, 40, 60, 80)), size=(HIGH, WIDE), filename="exif.jpg"),
        "exif_stored": voc(good, size=(WIDE, HIGH), filename="exif_stored.jpg"),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.xml").write_text(text)
    (tmp_path / "latin.xml").write_bytes(voc(("Käse", (1, 1, 9, 9))).encode("latin-1"))
    test = load_test_boxes(str(tmp_path), ("cat", "dog"), SPEC)
    skipped = {entry["file"]: entry["reason"] for entry in test.skipped}
    assert test.images.names == ["empty.jpg", "exif.jpg", "good.jpg", "turned.jpg", "twice.jpg"]
    rows = dict(zip(test.images.names, test.images.labels, strict=True))
    assert (rows["empty.jpg"] == -1).all()
    assert rows["exif.jpg"][0] == pytest.approx([0, 0.5, 1, 1, 0, 0])
    assert rows["turned.jpg"][0] == pytest.approx([10 / 80, 20 / 60, 30 / 80, 50 / 60, 1, 0])
    assert (rows["twice.jpg"][:, 4] >= 0).sum() == 1
    reasons = {
        "other.jpg": "its boxes are for a picture of 60x80 pixels (width x height), but it",
        "exif_stored.jpg": "its boxes are for a picture of 80x60 pixels",
        "entity.xml": "it has a document type",
        "broken.xml": "it is not valid XML",
        "noname.xml": "one of its objects has no name",
        "nobox.xml": "the object 'cat' has no box",
        "missing.xml": "its picture is missing",
        "latin.xml": "it cannot be read as text",
        "unlabelled.jpg": "it has no annotation",
    }
    for name, reason in reasons.items():
        assert skipped[name].startswith(reason), name
    assert "half.jpg" in skipped
    repairs = Counter((entry["file"], entry["reason"]) for entry in test.repaired)
    assert repairs == {
        ("turned.jpg", "a box with exchanged edges was turned around"): 1,
        ("twice.jpg", "a box of less than a pixel was dropped"): 1,
        ("twice.jpg", "a box that was given twice was dropped"): 1,
    }


def test_damaged_json_is_listed(tmp_path, photos):
    photos(*(tmp_path / f"{name}.jpg" for name in ("a", "b", "c")))
    content = {
        "images": [
            {"id": 1, "file_name": "/home/someone/a.jpg", "width": "80", "height": 60},
            {"id": 2, "file_name": "gone.jpg"},
            {"id": 3, "file_name": 5},
            "nothing",
            {"id": 4, "file_name": "b.jpg", "width": -1, "height": 0},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": "2"}, None],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "iscrowd": 1},
            {"image_id": 1, "category_id": 9, "bbox": [1, 2, 30, 40]},
            {"image_id": 4, "category_id": 1, "bbox": [1, 2, "x", 40]},
            {"image_id": 4, "category_id": 1, "bbox": {"a": 1}},
            {"image_id": 99, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": [], "category_id": 1},
            7,
        ],
    }
    (tmp_path / "all.json").write_text(json.dumps(content))
    (tmp_path / "other.json").write_text("[1, 2]")
    (tmp_path / "deep.json").write_text("[" * 10**5)
    read = read_annotations(tmp_path)
    assert [(one.name, one.size, len(one.boxes)) for one in read.pictures] == [
        ("a.jpg", (80.0, 60.0), 1),
        ("b.jpg", None, 0),
    ]
    assert read.pictures[0].boxes[0].ignored
    reasons = Counter(entry["reason"] for entry in read.skipped)
    assert reasons["an annotation has a category that is not listed"] == 1
    assert reasons["an annotation has no picture"] == 2
    assert reasons["a picture has no file_name or id"] == 2
    assert reasons["the picture is missing"] == 1
    assert reasons["one of its objects has no box of four numbers"] == 2
    assert reasons["it has annotations of the picture 99, which is not listed"] == 1
    assert reasons["it is no JSON of COCO"] == 2


def test_damaged_lines_of_yolo_are_listed(tmp_path, photos):
    photos(tmp_path / "a.jpg")
    lines = ["0 .5 .5 .1 .1", "x", "0 .5", "2 .5 .5 .1 .1", "0.5 1 1 1 1", "0 1 1 1 1 1 1 1", ""]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    read = read_annotations(tmp_path)
    assert [len(one.boxes) for one in read.pictures] == [1]
    assert Counter(entry["reason"] for entry in read.skipped) == {
        "a line has no class and four numbers": 2,
        "a line has the class 2, which is not listed": 1,
        "a line has the class 0.5, which is not listed": 1,
        "a polygon has an odd number of coordinates": 1,
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "file,label,left,top,right\n", "has no column 'bottom'"),
        ("a.xml", voc(("x\ty", (1, 1, 9, 9))), "A class in"),
        ("a.xml", voc(("x", (1, 1, 9, 9)), filename="gone"), "a.xml: its picture is missing"),
        ("a.json", "{}", "a.json: it is no JSON of COCO"),
        ("a.md", "", "has no boxes; annotations are Pascal VOC's .xml"),
    ],
)
def test_folders_without_boxes_are_refused(tmp_path, photos, name, text, message):
    if "gone" not in text:
        photos(tmp_path / "a.jpg")
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        load_boxes(str(tmp_path), SPEC)


def test_too_many_boxes_are_refused(tmp_path, photos):
    photos(*(tmp_path / f"{k}.jpg" for k in range(2)))
    (tmp_path / "0.txt").write_text("0 .5 .5 .1 .1\n" * 1001)
    (tmp_path / "1.txt").write_text("0 .5 .5 .1 .1\n")
    test = load_test_boxes(str(tmp_path), ("0",), SPEC)
    assert test.images.names == ["1.jpg"]
    assert "it has 1,001 boxes; at most 1,000 are read" in test.skipped[0]["reason"]


def test_values_of_other_types_are_listed(tmp_path, photos):
    photos(tmp_path / "a.jpg", tmp_path / "b.jpg")
    (tmp_path / "a.txt").write_text("nan .5 .5 .1 .1\ninf .5 .5 .1 .1\n0 .5 .5 .1 .1\n0 nan 1 1 1")
    test = load_test_boxes(str(tmp_path), ("0",), SPEC)
    assert [entry["reason"] for entry in test.repaired] == [
        "a box with a coordinate that is not a number was dropped"
    ]
    assert len(test.skipped) == 2
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"image_id": 1, "category_id": [1], "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]},
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    test = load_test_boxes(str(tmp_path), ("cat",), SPEC)
    assert test.images.names == ["a.jpg"]
    assert [entry["file"] for entry in test.skipped] == ["a.json"]
