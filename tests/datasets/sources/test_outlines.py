"""COCO's outlines and run lengths as masks."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.datasets.sources.masks.load import load_masks, mask_classes
from mobilenet_tf.tasks.segmentation.masks import run_lengths

SPEC = InputSpec(32)


def outlined(root, objects, size=(64, 48)):
    """Write pictures with one JSON file, in which each has these objects."""
    (root / "pictures").mkdir(parents=True)
    names = [f"pictures/{index}.png" for index in range(5)]
    for name in names:
        Image.fromarray(np.full((48, 64, 3), 60, np.uint8)).save(root / name)
    images = [
        {"id": index, "file_name": name, "width": size[0], "height": size[1]}
        for index, name in enumerate(names)
    ]
    annotations = [
        {"id": 10 * index + place, "image_id": index, "iscrowd": 0, "bbox": [0, 0, 1, 1]} | one
        for index in range(5)
        for place, one in enumerate(objects)
    ]
    categories = [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "instances.json").write_text(json.dumps(content))
    return str(root)


def test_outlines_are_drawn(tmp_path):
    square = [16, 12, 48, 12, 48, 36, 16, 36]
    small = [20, 16, 28, 16, 28, 24, 20, 24]
    objects = [
        {"category_id": 7, "segmentation": [small]},
        {"category_id": 3, "segmentation": [square]},
    ]
    data = load_masks(outlined(tmp_path / "a", objects), InputSpec((48, 64)))
    assert data.classes == ("background", "cat", "dog")
    expected = np.zeros((48, 64), int)
    expected[12:36, 16:48] = 1
    expected[16:24, 20:28] = 2
    np.testing.assert_array_equal(data.test.labels[0], expected)
    assert mask_classes(str(tmp_path / "a")) == data.classes


def test_the_first_annotation_of_a_picture_counts(tmp_path):
    square = [16, 12, 48, 12, 48, 36, 16, 36]
    root = tmp_path / "a"
    outlined(root, [{"category_id": 3, "segmentation": [square]}])
    content = json.loads((root / "instances.json").read_text())
    alone = load_masks(str(root), SPEC)
    (root / "more.json").write_text(json.dumps(content | {"annotations": []}))
    both = load_masks(str(root), SPEC)
    np.testing.assert_array_equal(both.train.labels[:], alone.train.labels[:])
    reason = "it is annotated twice; the first counts"
    assert [one for one in both.skipped if one["reason"] == reason] == [
        {"file": f"pictures/{index}.png", "reason": reason} for index in range(5)
    ]


@pytest.mark.parametrize("plain", [True, False])
def test_run_lengths_are_read(tmp_path, plain):
    inside = np.random.default_rng(0).random((48, 64)) < 0.3
    runs = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
    counts = run_lengths(inside) if plain else runs["counts"].decode()
    crowd = {"category_id": 3, "iscrowd": 1, "segmentation": {"size": [48, 64], "counts": counts}}
    data = load_masks(outlined(tmp_path / "a", [crowd]), InputSpec((48, 64)))
    np.testing.assert_array_equal(data.test.labels[0] == IGNORED, inside)


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        [[1, 2, 3]],
        [[1, 2, 3, float("nan"), 5, 6]],
        [["a"] * 6],
        {"size": [48, 64], "counts": [1, 2]},
        {"size": [48, 64], "counts": "\u00ff" * 9},
        {"size": [10**9, 64], "counts": []},
        {"size": [48, 64], "counts": [-1, 3073]},
    ],
)
def test_objects_without_an_outline_are_left_out(tmp_path, segmentation):
    objects = [{"category_id": 3, "segmentation": segmentation}]
    data = load_masks(outlined(tmp_path / "a", objects), SPEC)
    assert len(data.repaired) == 5
    assert not data.test.labels.any()


def test_outlines_of_another_shape_are_refused(tmp_path):
    objects = [{"category_id": 3, "segmentation": [[0, 0, 9, 0, 9, 9]]}]
    with pytest.raises(UserError, match=r"48x64 pixels .* it has 64x48 when it is upright"):
        load_masks(outlined(tmp_path / "a", objects, (48, 64)), SPEC)


def test_a_folder_of_neither_is_rejected(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match="needs images/ and masks/, or COCO's outlines"):
        load_masks(str(tmp_path / "a"), SPEC)
