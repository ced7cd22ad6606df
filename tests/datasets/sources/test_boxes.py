"""Pictures with boxes in every format, and what is wrong with some of them."""

import csv
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.boxed import box_classes, load_boxes, load_test_boxes, read_annotations
from mobilenet_tf.datasets.sources.annotations.boxes import Box, Boxed, place_boxes, repaired_edges
from tests.conftest import SHARED

SPEC = InputSpec(64, fit="stretch")
WIDE, HIGH = 80, 60


@pytest.fixture
def photos(pictures):
    """Write photos of 80x60 pixels at paths."""

    def write(*paths, size=(WIDE, HIGH), **options):
        for index, path in enumerate(paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[index % len(pictures)]).resize(size).save(path, **options)

    return write


def voc(*objects, size=(WIDE, HIGH), filename="a.jpg", extra="") -> str:
    """Return an annotation; objects are (name, edges)."""
    boxes = "".join(
        f"<object><name>{name}</name>{extra}<bndbox>"
        + "".join(
            f"<{side}>{value}</{side}>"
            for side, value in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
        )
        + "</bndbox></object>"
        for name, edges in objects
    )
    return (
        f"<annotation><filename>{filename}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height></size>{boxes}</annotation>"
    )


def found(root):
    """Return {name: [(label, rounded edges)]} of what is read below a folder."""
    return {
        one.name: [(box.label, tuple(np.round(box.edges, 3).tolist())) for box in one.boxes]
        for one in read_annotations(root).pictures
    }


EXPECTED = {
    "train/a.jpg": [("cat", (10.0, 20.0, 30.0, 50.0)), ("dog", (0.0, 0.0, 40.0, 30.0))],
    "train/b.jpg": [],
    "test/c.jpg": [("dog", (8.0, 6.0, 16.0, 12.0))],
}


def as_voc(root):
    for name, boxes in EXPECTED.items():
        base = name.rpartition("/")[2]
        (root / name).with_suffix(".xml").write_text(voc(*boxes, filename=base))


def as_coco(root):
    for split in ("train", "test"):
        names = [name for name in EXPECTED if name.startswith(split)]
        content = {
            "images": [
                {"id": k, "file_name": name.rpartition("/")[2], "width": WIDE, "height": HIGH}
                for k, name in enumerate(names)
            ],
            "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
            "annotations": [
                {
                    "id": 1,
                    "image_id": k,
                    "category_id": {"cat": 3, "dog": 7}[label],
                    "bbox": [left, top, right - left, bottom - top],
                    "iscrowd": 0,
                }
                for k, name in enumerate(names)
                for label, (left, top, right, bottom) in EXPECTED[name]
            ],
        }
        (root / split / "_annotations.coco.json").write_text(json.dumps(content))


def as_yolo(root):
    (root / "data.yaml").write_text("train: x\nnames:\n  0: cat\n  1: 'dog'  # a comment\nnc: 2\n")
    for name, boxes in EXPECTED.items():
        lines = [
            f"{['cat', 'dog'].index(label)} {(left + right) / 2 / WIDE} "
            f"{(top + bottom) / 2 / HIGH} {(right - left) / WIDE} {(bottom - top) / HIGH}"
            for label, (left, top, right, bottom) in boxes
        ]
        if lines:
            (root / name).with_suffix(".txt").write_text("\n".join(lines))


def as_csv(root):
    with (root / "boxes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"])
        for name, boxes in EXPECTED.items():
            for label, edges in boxes or [("", ["", "", "", ""])]:
                table.writerow([name, WIDE, HIGH, label, *edges])


@pytest.mark.parametrize("write", [as_voc, as_coco, as_yolo, as_csv])
def test_every_format_gives_the_same_boxes(tmp_path, photos, write):
    photos(*(tmp_path / name for name in EXPECTED))
    photos(*(tmp_path / "train" / f"more_{k}.jpg" for k in range(4)))
    write(tmp_path)
    shares = write is as_yolo
    read = found(tmp_path)
    scale = np.array([WIDE, HIGH] * 2 if shares else [1, 1, 1, 1])
    for name, boxes in EXPECTED.items():
        assert [label for label, _ in read[name]] == [label for label, _ in boxes]
        for (_, edges), (_, expected) in zip(read[name], boxes, strict=True):
            assert np.array(edges) * scale == pytest.approx(expected, abs=0.1)
    assert box_classes(str(tmp_path)) == ("cat", "dog")
    test = load_test_boxes(str(tmp_path), ("dog", "cat"), SPEC)
    assert test.images.names == ["test/c.jpg"]
    assert test.images.labels[0, 0] == pytest.approx([0.1, 0.1, 0.2, 0.2, 0, 0], abs=1e-6)
    assert (test.images.labels[0, 1:] == -1).all()
    with pytest.raises(UserError, match="'dog', which is none of the model's classes"):
        load_test_boxes(str(tmp_path), ("cat", "cow"), SPEC)


def test_the_layouts_of_voc_and_yolo(tmp_path, photos):
    old, new = tmp_path / "voc", tmp_path / "yolo"
    photos(*(old / "JPEGImages" / f"{k}.jpg" for k in range(3)))
    (old / "Annotations").mkdir()
    (old / "ImageSets" / "Main").mkdir(parents=True)
    for k, split in enumerate(("train", "val", "test")):
        text = voc(("x", (1, 1, 9, 9)), filename=f"{k}.jpg")
        (old / "Annotations" / f"{k}.xml").write_text(text)
        (old / "ImageSets" / "Main" / f"{split}.txt").write_text(f"{k}\n")
    splits = {one.name: one.split for one in read_annotations(old).pictures}
    assert splits == {
        f"JPEGImages/{k}.jpg": split for k, split in enumerate(("train", "validation", "test"))
    }
    photos(new / "images" / "train" / "a.jpg", new / "images" / "val" / "a.jpg")
    for split, number in (("train", 0), ("val", 1)):
        (new / "labels" / split).mkdir(parents=True)
        line = f"{number} 0.5 0.5 0.2 0.2\n0 .1 .1 .3 .1 .2 .4\n"
        (new / "labels" / split / "a.txt").write_text(line)
    read = {one.split: one.boxes for one in read_annotations(new).pictures}
    assert [box.label for box in read["validation"]] == ["1", "0"]
    assert read["train"][1].edges == pytest.approx((0.1, 0.1, 0.3, 0.4))


@pytest.mark.parametrize(
    ("edges", "expected", "reason"),
    [
        ((10, 10, 30, 30), (10, 10, 30, 30), None),
        ((-1, 0, 81, 60), (0, 0, 80, 60), None),  # formats that count from 1
        ((30, 30, 10, 10), (10, 10, 30, 30), "exchanged edges"),
        ((-10, 10, 30, 30), (0, 10, 30, 30), "was cut"),
        ((10, 10, 10, 30), None, "less than a pixel"),
        ((10, 10, 10.5, 30), None, "less than a pixel"),
        ((90, 10, 100, 30), None, "outside the picture"),
        ((-500, -500, 20, 20), None, "mostly outside"),
        ((0, 0, 1e30, 1e30), None, "mostly outside"),
        ((0, 0, float("nan"), 9), None, "not a number"),
        ((0, 0, float("inf"), 9), None, "not a number"),
    ],
)
def test_boxes_are_repaired_or_dropped(edges, expected, reason):
    repaired, why = repaired_edges(np.array(edges, float), WIDE, HIGH)
    assert (reason is None and why is None) or reason in why
    assert (None if repaired is None else repaired.tolist()) == (
        None if expected is None else list(expected)
    )


def test_placing_follows_the_crop():
    boxes = [
        Box("a", (10, 0, 70, 60)),  # the part that is used, and no more
        Box("a", (0, 0, 20, 60)),  # half of it is cut off
        Box("a", (2, 0, 12, 60)),  # nearly all of it is
        Box("a", (0, 0, 10, 60)),  # all of it is
    ]
    framing = InputSpec(60, fit="crop").framing((WIDE, HIGH))
    placed = place_boxes(Boxed("x", tuple(boxes)), framing, {"a": 0}, 5)
    assert placed.label[:3] == pytest.approx(
        np.array([[0, 0, 1, 1, 0, 0], [0, 0, 1 / 6, 1, 0, 0], [0, 0, 1 / 30, 1, 0, 1]])
    )
    assert (placed.label[3:] == -1).all()
    assert placed.repairs == []
    padded = InputSpec(80, fit="pad").framing((WIDE, HIGH))
    placed = place_boxes(Boxed("x", (Box("a", (0, 0, 80, 60)),)), padded, {"a": 0}, 1)
    assert placed.label[0] == pytest.approx([0, 0.125, 1, 0.875, 0, 0])


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
        "other.jpg": "its boxes are for a picture of 60x80 pixels (width x height), but it has 80x60",
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


@pytest.mark.parametrize(
    ("name", "classes", "counts", "repairs"),
    [("cards", 6, (252, 44, 67), 0), ("bccd", 3, (205, 87, 72), 3)],
)
def test_real_data(name, classes, counts, repairs):
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"shared/data/{name} is not beside the repository")
    data = load_boxes(str(folder), SPEC)
    assert len(data.classes) == classes
    assert (len(data.train), len(data.validation), len(data.test)) == counts
    assert data.skipped == []
    assert len(data.repaired) <= repairs
    labels = data.train.labels[data.train.labels[..., 4] >= 0]
    assert set(labels[:, 4]) == set(range(classes))
    assert (labels[:, 2:4] > labels[:, :2]).all()


def test_scenes_have_boxes(monkeypatch):
    from mobilenet_tf.datasets import scenes

    for split in scenes.COUNTS:
        monkeypatch.setitem(scenes.COUNTS, split, 3)
    data = load_boxes("digits", InputSpec(96), seed=4)
    first = next(scenes.compose("test", 4))
    assert data.test.labels.shape == (3, 6, 6)
    assert data.test.labels[0, : len(first.digits), :4] * 96 == pytest.approx(first.boxes()[:, :4])
    assert data.test.labels[0, : len(first.digits), 4].tolist() == list(first.digits)
    assert box_classes("digits") == tuple("0123456789")
