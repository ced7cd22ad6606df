"""Scenes of scikit-learn's handwritten digits, with exact boxes and masks.

Data for detection and segmentation that needs no download. A scene shows 2 to 6 digits of 12 to 40
pixels on a textured background, among fragments of other digits, which count as background.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress
from mobilenet_tf.datasets.placed import Place
from mobilenet_tf.datasets.sources.decoded import from_images
from mobilenet_tf.datasets.sources.digits import bundled_digits
from mobilenet_tf.datasets.splitting import Listing, assign_splits

SIDE = 96
COUNTS = {"train": 2000, "validation": 250, "test": 500}
FEWEST, MOST = 2, 6  # digits in a scene
_FRAGMENTS = (0, 3)  # fewest and most in a scene
_HEIGHT, _FRAGMENT = (12, 40), (6, 20)  # in pixels
_OVERLAP = 0.3  # largest share of a digit's pixels that lie over or under others
_ATTEMPTS = 100  # to place the digits of a scene
_GLYPH = 64  # pixels to which the 8x8 pixels of a digit are enlarged
_CONTRAST = (90, 130)  # of digits with the background, in grey levels
_TEXTURE = ((4, 30.0), (24, 15.0))  # knots along a side, and amplitude in grey levels
_TAKEN = 255  # marks the pixels of a fragment while a scene is composed


class Scene(NamedTuple):
    """A picture of digits.

    Attributes:
        picture: uint8 (SIDE, SIDE, 3).
        digits: What each digit is, from 0 to 9.
        owners: uint8 (SIDE, SIDE): 1 + index of the digit that is seen in a pixel, 0 for none.
    """

    picture: np.ndarray
    digits: tuple[int, ...]
    owners: np.ndarray

    def boxes(self) -> np.ndarray:
        """Return the extents of what is seen of each digit.

        Returns:
            float32 (digits, 5): left, top, right, bottom in pixels, and the digit.
        """
        rows = []
        for index, digit in enumerate(self.digits):
            y, x = np.nonzero(self.owners == index + 1)
            rows.append((x.min(), y.min(), x.max() + 1, y.max() + 1, digit))
        return np.array(rows, np.float32)

    def mask(self) -> np.ndarray:
        """Return the class of each pixel, uint8 (SIDE, SIDE): 0 for background, 1 + the digit."""
        return np.array([0, *(digit + 1 for digit in self.digits)], np.uint8)[self.owners]


def compose(split: str, seed: int) -> Iterator[Scene]:
    """Yield the scenes of a split; no handwritten digit occurs in two splits.

    Scene k is a function of the split, the seed and k alone.

    Args:
        split: One of `SPLITS`.
        seed: Decides which digits belong to which split, as for `digits` in classification.
    """
    listing, greys = bundled_digits()
    members = assign_splits(listing, seed)[split]
    glyphs = [_glyph(greys[index]) for index in members]
    digits = np.asarray(listing.labels)[members]
    for number in range(COUNTS[split]):
        random = np.random.default_rng((seed, SPLITS.index(split), number))
        yield _compose(random, glyphs, digits)


def scene_dataset(
    classes: tuple[str, ...],
    place: Place,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Compose all scenes.

    Args:
        classes: Names of the classes.
        place: Makes the labels of a `Scene` in the input, see `Labelled.place`.
        input_spec: Input that the images are prepared for.
        seed: Seed of the scenes.
        progress: Called with the number of finished images and of all images.
    """
    scenes = {split: list(compose(split, seed)) for split in SPLITS}
    every = [scene for split in SPLITS for scene in scenes[split]]
    listing = Listing(
        classes,
        names=[f"{split}/{k:04d}" for split in SPLITS for k in range(len(scenes[split]))],
        labels=every,
        splits=[split for split in SPLITS for _ in scenes[split]],
        stratified=False,
    )
    pictures = (Image.fromarray(scene.picture) for scene in every)
    return from_images(
        "digits", listing, pictures, input_spec, seed=seed, progress=progress, place=place
    )


def _glyph(grey: np.ndarray) -> np.ndarray:
    """Return an 8x8 digit, enlarged with sharp edges and cut to its extents; float32, 0 to 1."""
    large = Image.fromarray(grey).resize((_GLYPH, _GLYPH), Image.Resampling.BICUBIC)
    inked = np.asarray(large) >= 128
    y, x = np.nonzero(inked)
    return inked[y.min() : y.max() + 1, x.min() : x.max() + 1].astype(np.float32)


def _compose(random: np.random.Generator, glyphs: list[np.ndarray], digits: np.ndarray) -> Scene:
    base = random.uniform(20, 235)
    picture = base + _texture(random)
    ink = 1 if base < 128 else -1
    owners = np.zeros((SIDE, SIDE), np.uint8)
    found: list[int] = []
    areas: list[int] = []

    def draw(cover: np.ndarray, owner: int) -> bool:
        """Draw a glyph somewhere, unless it would hide too much or be too much mingled."""
        height, width = cover.shape
        top, left = random.integers(0, (SIDE - height + 1, SIDE - width + 1))
        place = slice(top, top + height), slice(left, left + width)
        inked = cover >= 0.5
        seen = np.where(inked, owner, owners[place])
        after = owners.copy()
        after[place] = seen
        left_over = np.bincount(after.ravel(), minlength=256)[1 : len(areas) + 1]
        mingled = np.count_nonzero(owners[place][inked]) > _OVERLAP * inked.sum()
        if mingled or any(left_over < (1 - _OVERLAP) * np.array(areas)):
            return False
        colour = base + ink * random.uniform(*_CONTRAST) + random.uniform(-30, 30, 3)
        picture[place] += cover[..., np.newaxis] * (colour - picture[place])
        owners[:] = after
        return True

    for _ in range(random.integers(_FRAGMENTS[0], _FRAGMENTS[1] + 1)):
        glyph = glyphs[random.integers(len(glyphs))]
        draw(_scaled(_fragment(random, glyph), int(random.integers(*_FRAGMENT))), _TAKEN)
    wanted = random.integers(FEWEST, MOST + 1)
    for _ in range(_ATTEMPTS):
        index = random.integers(len(glyphs))
        cover = _scaled(glyphs[index], int(random.integers(_HEIGHT[0], _HEIGHT[1] + 1)))
        if draw(cover, len(found) + 1):
            found.append(int(digits[index]))
            areas.append(int((cover >= 0.5).sum()))
        if len(found) == wanted:
            break
    owners[owners == _TAKEN] = 0
    return Scene(np.clip(picture, 0, 255).astype(np.uint8), tuple(found), owners)


def _texture(random: np.random.Generator) -> np.ndarray:
    """Return smooth coloured noise of several frequencies, float32 (SIDE, SIDE, 3)."""
    total = np.zeros((SIDE, SIDE, 3), np.float32)
    for knots, amplitude in _TEXTURE:
        for band in range(3):
            noise = random.uniform(-amplitude, amplitude, (knots, knots)).astype(np.float32)
            smooth = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            total[..., band] += np.asarray(smooth)
    return total


def _fragment(random: np.random.Generator, glyph: np.ndarray) -> np.ndarray:
    """Return a piece of a digit: about half of its height and of its width."""
    height, width = (max(1, side // 2) for side in glyph.shape)
    top, left = random.integers(0, (glyph.shape[0] - height + 1, glyph.shape[1] - width + 1))
    return glyph[top : top + height, left : left + width]


def _scaled(glyph: np.ndarray, height: int) -> np.ndarray:
    """Return a glyph of another height, anti-aliased, at most as wide as a digit may be high."""
    width = min(max(1, round(glyph.shape[1] * height / glyph.shape[0])), _HEIGHT[1])
    scaled = Image.fromarray(glyph).resize((width, height), Image.Resampling.BOX)
    return np.asarray(scaled)
