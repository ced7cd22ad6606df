"""Folders of pictures with masks, with everything that goes wrong in them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.masks import IGNORED, read_mask
from mobilenet_tf.datasets.sources.masks.code import code_of
from mobilenet_tf.datasets.sources.masks.load import load_masks, load_test_masks, mask_classes

SPEC = InputSpec(32)
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0]
ROWS, COLUMNS = np.mgrid[0:48, 0:64]
HALVES = (COLUMNS >= 32).astype(np.uint8)  # the right half is class 1


def save(root, name, mask, picture=None, exif=None):
    """Save a picture whose pixels show its mask, and the mask."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    pixels = np.stack([60 + 60 * HALVES, ROWS * 4, COLUMNS * 3], -1).astype(np.uint8)
    picture = picture or Image.fromarray(pixels)
    options = {"exif": exif} if exif else {}
    picture.save(root / "images" / f"{name}.png", **options)
    mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
    mask.save(root / "masks" / f"{name}.png")


def folder(root, masks):
    for index, mask in enumerate(masks):
        save(root, f"picture_{index}", mask)
    return str(root)


def paletted(mask, palette=VOC):
    image = Image.fromarray(mask)
    image.putpalette(palette)
    return image


def coloured(mask):
    return Image.fromarray(np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.uint8)[mask])


def reasons(entries):
    return {entry["file"].rpartition("/")[2]: entry["reason"] for entry in entries}


KINDS = {
    "indices": (HALVES * 2, ("0", "2")),
    "black and white": (HALVES * 255, ("background", "object")),
    "two values": (HALVES * 7 + 3, ("background", "object")),
    "one bit": (Image.fromarray(HALVES * 255).convert("1"), ("background", "object")),
    "16 bits": (Image.fromarray(HALVES.astype(np.uint16) * 200), ("background", "object")),
    "grey as RGB": (Image.fromarray(HALVES * 255).convert("RGB"), ("background", "object")),
    "palette": (paletted(HALVES), ("0", "1")),
    "colours": (coloured(HALVES), ("#000000", "#800000")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_every_kind(tmp_path, kind):
    mask, classes = KINDS[kind]
    if kind == "indices":  # three values, or they would be two colours
        mask = mask.copy()
        mask[0, 0] = IGNORED
    data = load_masks(folder(tmp_path, [mask] * 6), SPEC)
    assert data.classes == classes
    assert mask_classes(str(tmp_path)) == classes
    assert (len(data.train), len(data.validation), len(data.test)) == (4, 1, 1)
    assert data.skipped == data.repaired == []
    for split in (data.validation, data.test):
        assert split.labels.shape == (1, 32, 32)
        # The mask lies where the picture does.
        bright = split.images[0][..., 0] > 90
        assert (split.labels[0] == bright).mean() > 0.95


def test_classes_are_named_by_a_file(tmp_path):
    masks = [HALVES, HALVES, coloured(HALVES), paletted(HALVES), HALVES, HALVES * 2]
    source = folder(tmp_path, masks)
    (tmp_path / "classes.txt").write_text("road\ncar, #800000\nsky #008000\n")
    data = load_masks(source, SPEC)
    assert data.classes == ("road", "car", "sky")
    names = [name for split in (data.train, data.validation, data.test) for name in split.names]
    found = np.concatenate(
        [split.labels[:, :, -3:].max((1, 2)) for split in (data.train, data.validation, data.test)]
    )
    assert dict(zip(names, found.tolist(), strict=True)) == {
        f"images/picture_{index}.png": 2 if index == 5 else 1 for index in range(6)
    }
    assert all("no known class (#000000)" in entry["reason"] for entry in data.repaired)


@pytest.mark.parametrize("text", ["road\n", "road\nroad\n"])
def test_a_file_of_classes_must_name_two(tmp_path, text):
    source = folder(tmp_path, [HALVES] * 4)
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(UserError, match="it must name 2 to 254 different ones"):
        load_masks(source, SPEC)


def test_awkward_masks_are_repaired_or_left_out(tmp_path):
    masks = [paletted(HALVES) for _ in range(8)]
    source = folder(tmp_path, masks)
    unknown = HALVES.copy()
    unknown[:4] = 9
    save(tmp_path, "unknown", paletted(unknown, VOC + [0] * 30))
    (tmp_path / "classes.txt").write_text("ground\nobject\n")
    save(tmp_path, "nothing", np.full((48, 64), IGNORED, np.uint8))
    save(tmp_path, "swapped", paletted(1 - HALVES, [128, 0, 0, 0, 0, 0]))
    save(tmp_path, "small", paletted(HALVES[::2, ::2]))
    save(tmp_path, "narrow", paletted(HALVES[:, :40]))
    save(tmp_path, "empty", paletted(HALVES))
    (tmp_path / "masks" / "empty.png").write_bytes(b"")
    save(tmp_path, "lonely", paletted(HALVES))
    (tmp_path / "masks" / "lonely.png").unlink()
    save(tmp_path, "orphan", paletted(HALVES))
    (tmp_path / "images" / "orphan.png").unlink()
    exif = Image.Exif()
    exif[0x112] = 6  # to be turned by 90 degrees
    save(tmp_path, "turned", paletted(HALVES), exif=exif)
    data = load_masks(source, SPEC)
    skipped, repaired = reasons(data.skipped), reasons(data.repaired)
    assert set(skipped) == {"nothing.png", "narrow.png", "empty.png", "lonely.png"} | {
        "orphan.png",
        "turned.png",
    }
    assert "has no known class" in skipped["nothing.png"]
    assert "40x48 pixels (width x height), the picture 64x48" in skipped["narrow.png"]
    assert "it is empty" in skipped["empty.png"]
    assert skipped["lonely.png"] == "it has no mask in masks/"
    assert skipped["orphan.png"] == "it is a mask of no picture in images/"
    assert "EXIF" in skipped["turned.png"]
    assert set(repaired) == {"unknown.png", "swapped.png", "small.png"}
    assert "256 pixels of its mask have no known class (9)" in repaired["unknown.png"]
    assert "another palette" in repaired["swapped.png"]
    assert "32x24 pixels" in repaired["small.png"]
    for split in (data.train, data.validation, data.test):
        for name, mask in zip(split.names, split.labels, strict=True):
            right = mask[-1, -3]
            assert right == 1, name


def test_indices_of_many_classes_are_not_black_and_white():
    pixels = {str(value): 1000 for value in range(16)} | {"255": 1000}
    facts = {"kind": "grey", "pixels": pixels, "colours": {}}
    assert len(code_of([facts], Path("/nowhere")).classes) == 16


def test_noisy_black_and_white_is_two_classes(tmp_path):
    random = np.random.default_rng(0)
    noisy = [
        np.clip(HALVES * 255.0 + random.normal(0, 4, HALVES.shape), 0, 255).astype(np.uint8)
        for _ in range(5)
    ]
    data = load_masks(folder(tmp_path, noisy), SPEC)
    assert data.classes == ("background", "object")
    assert len(data.repaired) == 5
    assert set(np.unique(data.train.labels)) == {0, 1}


def test_masks_with_too_many_colours_are_left_out(tmp_path):
    source = folder(tmp_path, [coloured(HALVES)] * 5)
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    save(tmp_path, "photo", pixels)
    data = load_masks(source, SPEC)
    assert "more than 256 colours" in reasons(data.skipped)["photo.png"]


def test_splits_may_lie_above_or_below(tmp_path):
    for split, count in (("train", 4), ("val", 2), ("test", 3)):
        folder(tmp_path / "above" / split, [HALVES] * count)
        for kind in ("images", "masks"):
            target = tmp_path / "below" / kind
            target.mkdir(parents=True, exist_ok=True)
            shutil.copytree(tmp_path / "above" / split / kind, target / split)
    for kind in ("above", "below"):
        data = load_masks(str(tmp_path / kind), SPEC)
        assert (len(data.train), len(data.validation), len(data.test)) == (4, 2, 3)
        assert len(load_test_masks(str(tmp_path / kind), data.classes, SPEC).images) == 3


def test_names_of_masks_may_say_so(tmp_path):
    source = folder(tmp_path, [HALVES] * 5)
    for path in (tmp_path / "masks").iterdir():
        path.rename(path.with_name(f"{path.stem}_mask.png"))
    assert len(load_masks(source, SPEC).train) == 3


def test_a_padded_picture_is_ignored_where_it_is_not(tmp_path):
    data = load_masks(folder(tmp_path, [HALVES] * 5), InputSpec(32, fit="pad"))
    mask = data.test.labels[0]
    assert (mask[:4] == IGNORED).all()
    assert (mask[-4:] == IGNORED).all()
    assert set(np.unique(mask[5:-5])) == {0, 1}


def test_a_finished_model_finds_its_classes_by_name(tmp_path):
    source = folder(tmp_path, [HALVES * 255] * 3)
    test = load_test_masks(source, ("object", "other", "background"), SPEC)
    assert len(test.images) == 3
    assert set(np.unique(test.images.labels)) == {0, 2}
    with pytest.raises(UserError, match="'background', which is none of the model's: cat, object"):
        load_test_masks(source, ("cat", "object"), SPEC)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: [(root / x).mkdir(parents=True) for x in ("images", "masks")], "has a mask"),
        (lambda root: folder(root, [HALVES * 0] * 4), "have 1 classes; at least 2"),
        (lambda root: None, "does not exist; the data is a folder with images/ and masks/"),
    ],
)
def test_folders_without_two_classes_are_rejected(tmp_path, make, message):
    make(tmp_path / "data")
    with pytest.raises(UserError, match=message):
        load_masks(str(tmp_path / "data"), SPEC)


def test_deep_masks_have_at_most_255(tmp_path):
    Image.fromarray(np.full((4, 4), 3000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UserError, match="values up to 3000; a mask has at most 255"):
        read_mask(tmp_path / "deep.png", InputSpec(4, channels=1))


def test_values_become_classes_in_their_order():
    facts = {"kind": "grey", "pixels": {"4": 10, "17": 5, "255": 3, "9": 1}, "colours": {}}
    code = code_of([facts], Path("/nowhere"))
    assert code.classes == ("4", "9", "17")
    table, repairs = code.table(facts)
    assert (table[[4, 9, 17, 255, 100]] == [0, 1, 2, IGNORED, IGNORED]).all()
    assert repairs == []
