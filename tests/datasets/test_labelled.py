"""Labels that have a place in their picture, from files to a dataset."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, InputSpec
from mobilenet_tf.datasets import storage
from mobilenet_tf.datasets.contents import describe
from mobilenet_tf.datasets.dataset import Dataset, Split
from mobilenet_tf.datasets.images import read_picture
from mobilenet_tf.datasets.labelled import Labelled, read_dataset, read_test
from mobilenet_tf.datasets.placed import Placed, UnusableLabel
from mobilenet_tf.datasets.splitting import Listing, assign_splits

WIDTH, HEIGHT = 240, 160
# What a viewer shows in the rotated file, stored as the camera held it.
TURNED = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
          7: Image.Transpose.TRANSVERSE}  # fmt: skip


def spotted(x: int, y: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """A dark picture with a bright spot of 24 pixels around a point."""
    picture = Image.new("RGB", size, (20, 20, 20))
    picture.paste((250, 250, 250), (x - 12, y - 12, x + 12, y + 12))
    return picture


def spot(pixels: np.ndarray) -> np.ndarray:
    """The middle (x, y) of what is bright, in shares of the input."""
    rows, columns = np.nonzero(pixels[..., 0] > 128)
    height, width = pixels.shape[:2]
    return np.array([(columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["png", "jpg"])
def test_a_point_of_the_upright_picture_lands_where_the_pixels_do(fit, orientation, form, tmp_path):
    # Large enough for its JPEG to be halved while it is decoded.
    size, point = (8 * WIDTH, 8 * HEIGHT), (1100, 500)
    picture = spotted(*point, size)
    picture.paste((250, 250, 250), (point[0] - 96, point[1] - 96, point[0] + 96, point[1] + 96))
    stored = picture if orientation == 1 else picture.transpose(TURNED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{form}", exif=exif)
    found = read_picture(tmp_path / f"a.{form}", InputSpec((72, 60), fit=fit, crop=0.9))
    assert found.framing.size == size
    np.testing.assert_allclose(found.framing.shares(point), spot(found.pixels), atol=0.006)
    np.testing.assert_allclose(found.framing.points(found.framing.shares(point)), point)


def test_each_half_of_a_picture_of_odd_sides_is_rounded_up():
    spec = InputSpec((20, 20), fit="stretch")
    framing = spec.framing((101, 67), (26, 17))  # a quarter
    assert framing.placement.source == (0, 0, 104, 68)
    np.testing.assert_allclose(framing.shares((52, 34)), (0.5, 0.5))


@pytest.fixture
def points(tmp_path):
    """Forty pictures with a spot each, and a function that makes their `Labelled`."""
    random = np.random.default_rng(0)
    places = random.integers((60, 30), (WIDTH - 60, HEIGHT - 30), (40, 2))
    for number, (x, y) in enumerate(places):
        spotted(x, y).save(tmp_path / f"{number:02d}.png")

    def place(label, framing):
        if label is None:
            raise UnusableLabel("its point is missing")
        share = framing.shares(label).astype(np.float32)
        repairs = ["a point lies at the edge"] if label[0] < 70 else []
        return Placed(share, repairs)

    def make(labels=places, **options):
        names = [f"{number:02d}.png" for number in range(40)]
        listing = Listing(("spot",), names, list(labels), stratified=False, **options)
        return Labelled(source="spots", root=tmp_path, listing=listing, place=place)

    return make, places


def test_labels_follow_their_pictures_into_every_split(points):
    make, places = points
    data = read_dataset(make(), InputSpec(48), seed=1)
    assert [len(data.train), len(data.validation), len(data.test)] == [28, 6, 6]
    for split in (data.train, data.validation, data.test):
        assert split.labels.dtype == np.float32
        for pixels, label in zip(split.images, split.labels, strict=True):
            np.testing.assert_allclose(spot(pixels), label, atol=0.012)
    edges = {f"{number:02d}.png" for number in np.flatnonzero(places[:, 0] < 70)}
    assert {entry["file"] for entry in data.repaired} == edges != set()
    assert "repaired because a point lies at the edge" in describe(data)
    # A file keeps its split when others come, and one class is enough.
    again = read_dataset(make(), InputSpec(64), seed=1)
    assert again.test.names == data.test.names
    assert read_dataset(make(), InputSpec(48), seed=2).test.names != data.test.names


def test_a_picture_without_a_usable_label_is_left_out(points, tmp_path):
    make, places = points
    labels = [None if number == 3 else place for number, place in enumerate(places)]
    (tmp_path / "05.png").write_bytes(b"broken")
    data = read_dataset(make(labels), InputSpec(48))
    assert data.skipped == [
        {"file": "03.png", "reason": "its point is missing"},
        {"file": "05.png", "reason": "it has no known image format"},
    ]
    assert len(data.train) + len(data.validation) + len(data.test) == 38


def test_what_a_model_is_evaluated_on(points):
    make, _ = points
    spec = InputSpec(48)
    assert len(read_test(make(), spec).images) == 40
    splits = ["train"] * 30 + ["test"] * 10
    assert read_test(make(splits=splits), spec).images.names == [f"{i}.png" for i in range(30, 40)]
    held_out = read_test(make(splits=["train"] * 40), spec, seed=3).images.names
    assert held_out == read_dataset(make(), spec, seed=3).test.names
    with pytest.raises(UserError, match="has no readable images with labels"):
        read_test(make([None] * 40), spec)


def test_splits_of_the_source_are_kept(points):
    make, _ = points
    listing = make(splits=["train"] * 20 + ["validation"] * 15 + ["test"] * 5).listing
    chosen = assign_splits(listing, seed=0)
    assert [len(chosen[name]) for name in ("train", "validation", "test")] == [20, 15, 5]
    few = listing.subset(np.arange(19, 22))
    with pytest.raises(UserError, match="The dataset has 1 training images; at least 2"):
        assign_splits(few, seed=0)


def test_labels_may_be_larger_than_memory(points, monkeypatch):
    make, _ = points
    first = read_dataset(make(), InputSpec(48))
    monkeypatch.setattr(storage, "MEMORY_LIMIT", 0)
    mapped = read_dataset(make(), InputSpec(48))
    assert isinstance(mapped.train.labels, np.memmap)
    assert mapped.fingerprint == first.fingerprint


def test_the_fingerprint_knows_labels_of_any_type():
    images = np.zeros((6, 2, 2, 1), np.uint8)

    def fingerprint(labels):
        split = Split(images, labels, list("abcdef"))
        return Dataset("x", ("a", "b"), split, split, split).fingerprint

    boxes = np.zeros((6, 2, 5), np.float32)
    moved = boxes.copy()
    moved[5, 1, 0] = 1e-3
    found = [fingerprint(boxes), fingerprint(moved), fingerprint(boxes.astype(np.uint8))]
    assert len(set(found)) == 3


def test_images_with_boxes_are_chosen_at_random():
    split = Split(np.zeros((9, 2, 2, 1), np.uint8), np.zeros((9, 3, 5), np.float32), list("a" * 9))
    few = split.balanced(4, seed=1)
    assert few.labels.shape == (4, 3, 5)
