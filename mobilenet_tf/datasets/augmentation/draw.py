"""Strengths of the random changes of training images, and random numbers for a batch of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mobilenet_tf.core.settings import Checked, choice, number
from mobilenet_tf.datasets.augmentation.randaugment import Sides, draw_operations

# Smallest and largest side of an erased rectangle, as a share of the image's side.
ERASED_SIDE = (0.15, 0.45)
# Largest aspect ratio of a random crop, as for Inception, relative to that of the input.
CROP_ASPECT = 4 / 3


@dataclass(frozen=True)
class Augmentation(Checked):
    """Strength of each change; 0 turns it off. Changes are drawn for each image and step.

    Attributes:
        zoom: Largest magnification: 0.2 scales by 1/1.2 to 1.2. Outside the image, `fill` appears.
        aspect: Largest stretch of width against height: 0.1 stretches by 1/1.1 to 1.1.
        rotation: Largest angle in either direction, in degrees.
        shift: Largest shift in each direction, as a share of the image's side.
        flip: Probability of a horizontal flip. It is off by default, because it changes the
            meaning of digits, letters, arrows and hands; 0.5 suits objects without left and right.
        brightness: 0.2 multiplies all pixels by 0.8 to 1.2.
        contrast: 0.2 multiplies the distance from mid-grey by 0.8 to 1.2.
        saturation: 0.2 multiplies the distance from grey by 0.8 to 1.2; only for colour images.
        erase: Probability that a rectangle is filled with mid-grey.
        crop: Smallest area of a random crop, as a share of the image's area. Its sides have a
            ratio of 3:4 to 4:3 before it is resized to the input; 0.08 is the "random resized
            crop" of Inception and of the ImageNet recipes. Zoom, aspect and shift are milder forms
            of it and apply in addition.
        randaugment: Number of operations drawn from RandAugment's list (arXiv 1909.13719).
        magnitude: Magnitude of RandAugment, from 0 to 10.
        mixup: Parameter alpha of the Beta distribution of the shares in which two images and their
            labels are mixed (arXiv 1710.09412); 0.2 is usual.
        cutmix: The same parameter for a pasted rectangle of another image (arXiv 1905.04899); 1.0
            is usual. If both are on, each step uses one of them.
        fill: What appears outside the image: its reflection, or the `mean` of the input. A
            reflection would show a detector objects without boxes.
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
    fill: str = choice("reflect", "mean")


# The other changes are off by default.
NO_AUGMENTATION = Augmentation(
    zoom=0.0,
    aspect=0.0,
    rotation=0.0,
    shift=0.0,
    brightness=0.0,
    contrast=0.0,
    saturation=0.0,
)


class Changes(NamedTuple):
    """Changes of a batch of N images; float32.

    Attributes:
        transforms: (N, 8) transforms of ImageProjectiveTransformV3, from output pixels to input
            pixels.
        colours: (N, 3) factors of brightness, contrast and saturation.
        erased: (N, 4) rectangles to erase: left, top, right and bottom in output pixels; all 0 for
            none.
        operations: (N, k) indices into `PIXEL_OPERATIONS`, applied one after the other.
        shares: (N, 1) shares of the image itself in mixup; the rest is its partner's.
        pasted: (N, 4) rectangles that CutMix takes from the partner, as in `erased`.
    """

    transforms: np.ndarray
    colours: np.ndarray
    erased: np.ndarray
    operations: np.ndarray
    shares: np.ndarray
    pasted: np.ndarray


def draw(
    augmentation: Augmentation,
    random: np.random.Generator,
    count: int,
    source: Sides,
    target: Sides,
) -> Changes:
    """Draw changes for a batch.

    Args:
        augmentation: Strengths of the changes.
        random: Source of random numbers.
        count: Number of images.
        source: Height and width of the stored images in pixels.
        target: Height and width of the network's input in pixels.
    """
    # The number of draws is constant, so that turning one change off does not affect the others.
    draws = random.uniform(-1, 1, (14, count))
    transforms = _transforms(augmentation, draws[:6], source, target)

    strengths = (augmentation.brightness, augmentation.contrast, augmentation.saturation)
    factors = 1 + np.array(strengths)[:, np.newaxis] * draws[6:9]

    chance, width, height, left, top = (draws[9:14] + 1) / 2
    erased = _rectangles(width, height, left, top, target)
    erased[chance >= augmentation.erase] = 0

    if augmentation.crop:
        transforms = _crop(augmentation, random, source, transforms)
    drawn = draw_operations(random, count, augmentation.randaugment, augmentation.magnitude, target)
    if augmentation.randaugment:
        transforms, factors = _compose(transforms, drawn.warps), factors * drawn.factors
    shares, pasted = _partners(augmentation, random, count, target)
    return Changes(
        transforms,
        factors.T.astype(np.float32),
        erased.astype(np.float32),
        drawn.operations,
        shares,
        pasted,
    )


def _transforms(
    augmentation: Augmentation, draws: np.ndarray, source: Sides, target: Sides
) -> np.ndarray:
    """Return (N, 8) transforms that zoom, stretch, rotate, shift and flip."""
    zoom, aspect, rotation, right, down, mirror = draws
    zoom = (1 + augmentation.zoom) ** zoom
    stretch = (1 + augmentation.aspect) ** (aspect / 2)
    angle = np.deg2rad(augmentation.rotation) * rotation
    mirror = np.where((mirror + 1) / 2 < augmentation.flip, -1, 1)

    # Map the centre of the output to the centre of the source, so that their edges coincide.
    transforms = np.zeros((draws.shape[1], 8), np.float32)
    middle_y, middle_x = ((side - 1) / 2 for side in target)
    axes = (
        (0, source[1], source[1] / target[1], right, np.cos(angle), -np.sin(angle)),
        (3, source[0], source[0] / target[0], down, np.sin(angle), np.cos(angle)),
    )
    for row, side, scale, shift, of_x, of_y in axes:
        transforms[:, row] = scale / (zoom * stretch) * mirror * of_x
        transforms[:, row + 1] = scale / (zoom / stretch) * of_y
        offset = (side - 1) / 2 + augmentation.shift * side * shift
        along_y = transforms[:, row + 1] * (middle_y / middle_x)
        transforms[:, row + 2] = offset - middle_x * (transforms[:, row] + along_y)
    return transforms


def _rectangles(
    width: np.ndarray, height: np.ndarray, left: np.ndarray, top: np.ndarray, target: Sides
) -> np.ndarray:
    """Return (N, 4) rectangles in pixels, from numbers between 0 and 1."""
    least, most = ERASED_SIDE
    height, width = (
        side * (least + (most - least) * length)
        for side, length in zip(target, (height, width), strict=True)
    )
    left, top = left * (target[1] - width), top * (target[0] - height)
    return np.stack([left, top, left + width, top + height], axis=1)


def _compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return (N, 8) transforms that apply `inner` to a pixel, then `outer`."""
    rows = np.array([0.0, 0.0, 1.0])
    outer, inner = (
        np.concatenate([maps[:, :6].reshape(-1, 2, 3), np.tile(rows, (len(maps), 1, 1))], axis=1)
        for maps in (outer, inner)
    )
    both = np.zeros((len(outer), 8), np.float32)
    both[:, :6] = (outer @ inner)[:, :2].reshape(-1, 6)
    return both


def _crop(
    augmentation: Augmentation,
    random: np.random.Generator,
    source: Sides,
    transforms: np.ndarray,
) -> np.ndarray:
    """Return the transforms, applied to a random rectangle of the image instead of all of it."""
    area, aspect, left, top = random.uniform(0, 1, (4, len(transforms)))
    area = augmentation.crop + (1 - augmentation.crop) * area
    stretch = np.sqrt(CROP_ASPECT) ** (2 * aspect - 1)
    width, height = (np.minimum(np.sqrt(area) * ratio, 1) for ratio in (stretch, 1 / stretch))
    into = np.zeros((len(transforms), 8))
    for row, side, length, place in ((0, source[1], width, left), (3, source[0], height, top)):
        into[:, row + row // 3] = length
        # The centre of a pixel is half a pixel from its edge.
        into[:, row + 2] = place * (1 - length) * side + (length - 1) / 2
    return _compose(into, transforms)


def _partners(
    augmentation: Augmentation, random: np.random.Generator, count: int, target: Sides
) -> tuple[np.ndarray, np.ndarray]:
    """Return `Changes.shares` and `Changes.pasted`."""
    shares, pasted = np.ones((count, 1), np.float32), np.zeros((count, 4), np.float32)
    mixup, cutmix = augmentation.mixup, augmentation.cutmix
    if mixup and (not cutmix or random.uniform() < 0.5):
        shares[:, 0] = random.beta(mixup, mixup, count)
    elif cutmix:
        height, width = target
        length = np.sqrt(1 - random.beta(cutmix, cutmix, count))
        x, y = random.uniform(0, 1, (2, count)) * [[width], [height]]
        across, down = width / 2 * length, height / 2 * length
        edges = np.stack([x - across, y - down, x + across, y + down], axis=1)
        pasted[:] = np.clip(edges, 0, [width, height, width, height])
    return shares, pasted
