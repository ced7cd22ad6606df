"""Pictures with boxes in every format, and what is wrong with some of them."""

import csv
import json

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.sources.annotations.boxes import Box, Boxed, place_boxes, repaired_edges
from mobilenet_tf.datasets.sources.annotations.load import (
    box_classes,
    load_boxes,
    load_test_boxes,
    read_annotations,
)
from tests.conftest import SHARED
from tests.datasets.sources.annotated import HIGH, WIDE, voc

SPEC = InputSpec(64, fit="stretch")


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
