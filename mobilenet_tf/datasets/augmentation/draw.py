"""Random changes of training pictures: how strong, and as numbers for a whole batch.

Drawn with NumPy and applied with TensorFlow (changes.py). Importing this is cheap: recipes hold
an `Augmentation`.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from mobilenet_tf.core.settings import Checked, number
from mobilenet_tf.datasets.augmentation.randaugment import draw_operations

# Smallest and largest side of an erased rectangle, as a share of the picture's side.
ERASED_SIDE = (0.15, 0.45)
# Sides of a random crop are at most 4:3 either way, as for Inception.
CROP_ASPECT = 4 / 3


@dataclass(frozen=True)
class Augmentation(Checked):
    """Strength of each change; 0 turns it off. Each is drawn per picture and step.

    Attributes:
        zoom: 0.2 magnifies by 1/1.2 to 1.2; where nothing is left, the picture is mirrored.
        aspect: 0.1 stretches width against height by 1/1.1 to 1.1.
        rotation: degrees to either side.
        shift: to each side and up and down, as a share of the picture's side.
        flip: probability of mirroring left and right. Off, because digits, letters, arrows and
            hands mean something else then; 0.5 suits things that have no left and right.
        brightness: 0.2 multiplies all pixels by 0.8 to 1.2.
        contrast: 0.2 multiplies the distance from mid-grey by 0.8 to 1.2.
        saturation: 0.2 multiplies the distance from grey by 0.8 to 1.2; colour pictures only.
        erase: probability that a rectangle is painted mid-grey.
        crop: smallest share of the picture's area that a random rectangle keeps, its sides 3:4
            to 4:3, before it is scaled to the input: 0.08 is the "random resized crop" of
            Inception and of the ImageNet recipes. Zoom, aspect and shift are its mild relatives
            and come on top.
        randaugment: changes that are drawn from RandAugment's list (arXiv 1909.13719).
        magnitude: RandAugment's, of 10.
        mixup: alpha of the Beta distribution that says in which shares two pictures and their
            labels are mixed (arXiv 1710.09412); 0.2 is usual.
        cutmix: the same for a rectangle of another picture (arXiv 1905.04899); 1.0 is usual. With
            both on, each step takes one of them.
    """

    zoom: float = number(0.2, least=0, most=10)
    aspect: float = number(0.1, least=0, most=10)
    rotation: float = number(10.0, least=0, most=180)
    shift: float = number(0.08, least=0, most=1)
    flip: float = number(0.0, least=0, most=1)
    brightness: float = number(0.2, least=0, most=1)
    contrast: float = number(0.2, least=0, most=1)
    saturation: float = number(0.2, least=0, most=1)
    erase: float = number(0.0, least=0, most=1)
    crop: float = number(0.0, least=0, most=1)
    randaugment: int = number(0, least=0)
    magnitude: float = number(9.0, least=0, most=10)
    mixup: float = number(0.0, least=0)
    cutmix: float = number(0.0, least=0)


NO_AUGMENTATION = Augmentation(
    **{field.name: type(field.default)(0) for field in fields(Augmentation)}
)


class Changes(NamedTuple):
    """What happens to each of N pictures; float32.

    Attributes:
        transforms: (N, 8), ImageProjectiveTransformV3's: output pixel -> input pixel.
        colours: (N, 3): factors of brightness, contrast and saturation.
        erased: (N, 4): left, top, right, bottom in output pixels; empty where all are 0.
        operations: (N, k): numbers of `PIXEL_OPERATIONS`, one after the other.
        shares: (N, 1): of the picture itself; the rest is its partner's, by mixup.
        pasted: (N, 4): the rectangle that is its partner's, by CutMix; as `erased`.
    """

    transforms: np.ndarray
    colours: np.ndarray
    erased: np.ndarray
    operations: np.ndarray
    shares: np.ndarray
    pasted: np.ndarray


def draw(
    augmentation: Augmentation, random: np.random.Generator, count: int, side: int, size: int
) -> Changes:
    """Changes for `count` pictures, from side `side` to side `size` (both in pixels)."""
    # Always the same number of draws: turning one change off leaves the others as they were.
    draws = random.uniform(-1, 1, (14, count))
    zoom, aspect, rotation, right, down, mirror, *colours = draws[:9]
    zoom = (1 + augmentation.zoom) ** zoom
    stretch = (1 + augmentation.aspect) ** (aspect / 2)
    angle = np.deg2rad(augmentation.rotation) * rotation
    mirror = np.where((mirror + 1) / 2 < augmentation.flip, -1, 1)

    # From the output's middle to the input's middle, so all pixels of both squares match.
    across, along = side / size / (zoom * stretch) * mirror, side / size / (zoom / stretch)
    transforms = np.zeros((count, 8), np.float32)
    transforms[:, 0], transforms[:, 1] = across * np.cos(angle), -along * np.sin(angle)
    transforms[:, 3], transforms[:, 4] = across * np.sin(angle), along * np.cos(angle)
    middle = (size - 1) / 2
    for row, shift in ((0, right), (3, down)):
        offset = (side - 1) / 2 + augmentation.shift * side * shift
        transforms[:, row + 2] = offset - middle * transforms[:, row : row + 2].sum(axis=1)

    strengths = (augmentation.brightness, augmentation.contrast, augmentation.saturation)
    factors = 1 + np.array(strengths)[:, np.newaxis] * colours

    chance, width, height, left, top = (draws[9:14] + 1) / 2
    width, height = (
        size * (ERASED_SIDE[0] + (ERASED_SIDE[1] - ERASED_SIDE[0]) * length)
        for length in (width, height)
    )
    left, top = left * (size - width), top * (size - height)
    erased = np.stack([left, top, left + width, top + height], axis=1)
    erased[chance >= augmentation.erase] = 0

    if augmentation.crop:
        transforms = _crop(augmentation, random, side, transforms)
    drawn = draw_operations(random, count, augmentation.randaugment, augmentation.magnitude, size)
    if augmentation.randaugment:
        transforms, factors = _compose(transforms, drawn.warps), factors * drawn.factors
    shares, pasted = _partners(augmentation, random, count, size)
    return Changes(
        transforms,
        factors.T.astype(np.float32),
        erased.astype(np.float32),
        drawn.operations,
        shares,
        pasted,
    )


def _compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """(N, 8) transforms: a pixel goes through `inner`, then through `outer`."""
    rows = np.array([0.0, 0.0, 1.0])
    outer, inner = (
        np.concatenate([maps[:, :6].reshape(-1, 2, 3), np.tile(rows, (len(maps), 1, 1))], axis=1)
        for maps in (outer, inner)
    )
    both = np.zeros((len(outer), 8), np.float32)
    both[:, :6] = (outer @ inner)[:, :2].reshape(-1, 6)
    return both


def _crop(
    augmentation: Augmentation, random: np.random.Generator, side: int, transforms: np.ndarray
) -> np.ndarray:
    """The transforms into a random rectangle of the picture instead of all of it."""
    area, aspect, left, top = random.uniform(0, 1, (4, len(transforms)))
    area = augmentation.crop + (1 - augmentation.crop) * area
    stretch = np.sqrt(CROP_ASPECT) ** (2 * aspect - 1)
    width, height = (np.minimum(np.sqrt(area) * ratio, 1) for ratio in (stretch, 1 / stretch))
    into = np.zeros((len(transforms), 8))
    for scale, offset, length, place in ((0, 2, width, left), (4, 5, height, top)):
        into[:, scale] = length
        # Pixels' middles are half a pixel from the edge.
        into[:, offset] = place * (1 - length) * side + (length - 1) / 2
    return _compose(into, transforms)


def _partners(
    augmentation: Augmentation, random: np.random.Generator, count: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """`Changes.shares` and `Changes.pasted`."""
    shares, pasted = np.ones((count, 1), np.float32), np.zeros((count, 4), np.float32)
    mixup, cutmix = augmentation.mixup, augmentation.cutmix
    if mixup and (not cutmix or random.uniform() < 0.5):
        shares[:, 0] = random.beta(mixup, mixup, count)
    elif cutmix:
        half = size / 2 * np.sqrt(1 - random.beta(cutmix, cutmix, count))
        x, y = random.uniform(0, size, (2, count))
        edges = np.stack([x - half, y - half, x + half, y + half], axis=1)
        pasted[:] = np.clip(edges, 0, size)
    return shares, pasted
