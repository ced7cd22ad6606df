"""What is measured of pictures, and near duplicates among many."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from mobilenet_tf.datasets.opening import UnreadableImage
from mobilenet_tf.datasets.survey import collect
from mobilenet_tf.datasets.survey.collect import measure
from mobilenet_tf.datasets.survey.duplicates import MOST_BITS, near_duplicates
from mobilenet_tf.datasets.survey.facts import THUMB, Facts, facts_of, read_facts

SIGNS = Path(__file__).parents[2].parent / "shared/data/sign_digits"
needs_signs = pytest.mark.skipif(not SIGNS.is_dir(), reason="sign_digits is absent")
PLAIN = Facts((9, 9), "RGB", "PNG", 1, "0", "0" * 16, "00" * 192, False, 99.0, 1.0, 9.0)


def facts(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    stream.seek(0)
    return facts_of(read_facts(stream, THUMB).facts)


def as_jpeg(image, quality):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


ALTERED = {
    "JPEG of quality 20": lambda image: as_jpeg(image, 20),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "shifted": lambda image: image.crop((2, 0, image.width, image.height)),
}


@needs_signs
def test_altered_copies_are_found_among_real_pictures():
    paths = sorted(SIGNS.glob("*/*"))[::103]
    originals = [Image.open(path).convert("RGB") for path in paths]
    known = [facts(image) for image in originals]
    assert len(set(near_duplicates(known))) == len(known) == 21  # of different people
    for name, alter in ALTERED.items():
        copies = [facts(alter(image)) for image in originals]
        numbers = near_duplicates([*known, *copies])
        found = sum(numbers[row] == numbers[row + len(known)] for row in range(len(known)))
        assert found >= 0.9 * len(known), name
        assert numbers[: len(known)] == list(range(len(known))), name


def test_all_pairs_within_the_bound_are_found():
    random = np.random.default_rng(3)
    centres = random.integers(0, 2**63, 40)
    hashes = []
    for centre in centres.tolist():
        bits = random.permutation(64)
        hashes += [centre, centre ^ sum(1 << int(bit) for bit in bits[:MOST_BITS])]
        hashes.append(centre ^ sum(1 << int(bit) for bit in bits[: 4 * MOST_BITS]))
    thumbs = [random.integers(0, 256, 192, np.uint8).tobytes().hex() for _ in centres]
    pictures = [
        replace(PLAIN, hash=f"{one:016x}", thumb=thumbs[row // 3]) for row, one in enumerate(hashes)
    ]
    order = random.permutation(len(pictures))
    numbers = near_duplicates([pictures[row] for row in order])
    of = dict(zip(order.tolist(), numbers, strict=True))
    for row in range(0, len(pictures), 3):
        assert of[row] == of[row + 1] != of[row + 2]
    assert len(set(numbers)) == 2 * len(centres)
    # The same hash is not enough, and neither is the same thumbnail.
    others = [replace(one, thumb=thumbs[(row + 1) % 40]) for row, one in enumerate(pictures[::3])]
    assert near_duplicates([*pictures[::3], *others]) == list(range(80))


def test_pictures_without_content_are_no_duplicates():
    flat = replace(PLAIN, plain=True)
    assert near_duplicates([flat, flat, "it is empty", "it is empty"]) == [0, 1, 2, 3]
    assert near_duplicates([]) == []


def test_facts():
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = facts(Image.fromarray(noise), "JPEG", exif=exif)
    assert (turned.size, turned.orientation, turned.format, turned.mode) == (
        (30, 40), 6, "JPEG", "RGB"
    )  # fmt: skip
    assert facts(Image.fromarray(noise[..., 0])).colour == 0
    soft = facts(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)))
    assert soft.sharpness < 0.1 * facts(Image.fromarray(noise)).sharpness
    flat = facts(Image.new("RGB", (1, 1), (7, 7, 7)))
    assert (flat.plain, flat.brightness, flat.sharpness) == (True, 7.0, 0.0)
    exif[0x0112] = 77
    assert facts(Image.fromarray(noise), "JPEG", exif=exif).orientation == 0


class Reader:
    """Stands for `Decoders`, and counts what it reads."""

    def __init__(self):
        self.read_paths = []

    def read(self, paths, input_spec, reader):
        for path in paths:
            self.read_paths.append(Path(path).name)
            try:
                yield read_facts(path, input_spec)
            except UnreadableImage as error:
                yield error


@pytest.mark.parametrize("damage", ["{", '{"%s": {"a.png 1 1": 3}}', ""])
def test_facts_are_remembered_until_a_file_changes(tmp_path, monkeypatch, damage):
    store = tmp_path / "cache.json"
    monkeypatch.setattr(collect, "cache_file", lambda name: store)
    monkeypatch.setattr(collect, "WORTH_KEEPING", 3)
    store.write_text(damage)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").touch()
    names, reader = ["a.png", "b.png", "gone.png"], Reader()
    found = measure(tmp_path, names, reader)
    assert found[1:] == ["it is empty", "there is no such file"]
    assert reader.read_paths == names
    done = []
    assert measure(tmp_path, names, reader, lambda *counts: done.append(counts)) == found
    assert reader.read_paths == names
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert measure(tmp_path, names, reader)[0].size == (9, 9)
    assert reader.read_paths == [*names, "a.png"]
