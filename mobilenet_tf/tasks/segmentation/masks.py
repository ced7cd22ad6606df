"""From logits to masks: the one definition of what a segmenter's outputs mean.

Logits are enlarged to the input bilinearly, with half-pixel centres and edges repeated, and each
pixel gets the class with the largest one; of equal ones, the first. The enlargement by f has
weights in units of 1 / 2f. Integers of a file have one scale for all classes, so that they, summed
with integer weights, decide exactly as the real values do: other languages need no floats.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from mobilenet_tf.core.inputs import Framing
from mobilenet_tf.datasets.masks import IGNORED

MOST_CLASSES = 255
_SHADE = 0.6  # of a class's colour over a picture
_GAP = 4  # pixels between pictures
_LINE, _LONGEST = 16, 40  # of a legend: pixels of a line, characters of a name


def predicted(logits: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """Return the class of each pixel.

    Args:
        logits: Real or integer (N, h, w, classes).
        sides: Height and width of the masks, multiples of h and w.

    Returns:
        uint8 (N, *sides).
    """
    down, across = (
        weights(side, small) for side, small in zip(sides, logits.shape[1:3], strict=True)
    )
    masks = np.empty((len(logits), *sides), np.uint8)
    for mask, one in zip(masks, logits, strict=True):
        # Sums of products with small integers are exact in float64, in any order.
        columns = np.tensordot(down, one.astype(np.float64), (1, 0))
        large = np.tensordot(columns, across, (1, 1))  # (height, classes, width)
        mask[:] = large.argmax(axis=1)
    return masks


@lru_cache(maxsize=8)
def weights(large: int, small: int) -> np.ndarray:
    """Return the weights of an enlargement along one axis.

    Args:
        large: Number of pixels afterwards, a multiple of `small`.
        small: Number of pixels before.

    Returns:
        float64 (large, small) of whole numbers; a row's sum is twice the factor.
    """
    factor = large // small
    # Centre of a large pixel, less that of the first small one, in units of 1 / (2 * factor).
    places = 2 * np.arange(large) + 1 - factor
    lower, upper_weight = np.divmod(places, 2 * factor)
    found = np.zeros((large, small))
    rows = np.arange(large)
    np.add.at(found, (rows, np.clip(lower, 0, small - 1)), 2 * factor - upper_weight)
    np.add.at(found, (rows, np.clip(lower + 1, 0, small - 1)), upper_weight)
    return found


def on_picture(mask: np.ndarray, framing: Framing) -> np.ndarray:
    """Return a mask of the input as a mask of the picture.

    Args:
        mask: uint8 (height, width) of the input.
        framing: How the picture lies in the input.

    Returns:
        uint8 (height, width) of the picture; `IGNORED` where the input does not show it.
    """
    width, height = framing.size
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    ends = framing.placement.source
    inside = (x > ends[0]) & (x < ends[2]), (y > ends[1]) & (y < ends[3])
    sides = framing.sides
    across = framing.shares(np.stack([x, np.zeros(width)], 1))[:, 0] * sides[0]
    down = framing.shares(np.stack([np.zeros(height), y], 1))[:, 1] * sides[1]
    columns, rows = (
        np.clip(places.astype(int), 0, side - 1)
        for places, side in zip((across, down), sides, strict=True)
    )
    found = mask[rows[:, None], columns]
    found[~inside[1]] = IGNORED
    found[:, ~inside[0]] = IGNORED
    return found


def run_lengths(inside: np.ndarray) -> list[int]:
    """Return a mask as COCO's uncompressed run lengths: column by column, zeros first.

    Args:
        inside: bool (height, width).
    """
    flat = inside.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if flat[0] else lengths


def colour(index: int) -> tuple[int, int, int]:
    """Return the colour of a class in Pascal VOC's palette; the first is black."""
    red = green = blue = 0
    for bit in range(8):
        red |= (index & 1) << (7 - bit)
        green |= (index >> 1 & 1) << (7 - bit)
        blue |= (index >> 2 & 1) << (7 - bit)
        index >>= 3
    return red, green, blue


def overlay(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a picture with the colours of the classes over it, uint8 (h, w, 3).

    Args:
        pixels: uint8 (h, w, 3 or 1).
        mask: uint8 (h, w); the first class and ignored pixels have no colour.
    """
    base = np.broadcast_to(pixels, (*mask.shape, 3)).astype(np.float32)
    colours = np.array([colour(index) for index in range(MOST_CLASSES + 1)], np.float32)[mask]
    shown = (mask > 0) & (mask != IGNORED)
    mixed = np.where(shown[..., None], base + _SHADE * (colours - base), base)
    return mixed.round().astype(np.uint8)


def side_by_side(pixels: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return a picture, its true mask over it and its predicted mask over it, in one picture."""
    plain = np.broadcast_to(pixels, (*truth.shape, 3))
    gap = np.full((len(truth), _GAP, 3), 255, np.uint8)
    return np.hstack([plain, gap, overlay(pixels, truth), gap, overlay(pixels, found)])


def legend(classes: Sequence[str]) -> np.ndarray:
    """Return a picture of the classes' names beside their colours, uint8 (h, w, 3)."""
    texts = [name.encode("ascii", "replace").decode()[:_LONGEST] for name in classes]
    image = Image.new("RGB", (_LINE * (2 + max(map(len, texts))), _LINE * len(texts)), "white")
    draw = ImageDraw.Draw(image)
    for index, text in enumerate(texts):
        top = index * _LINE
        draw.rectangle((2, top + 2, _LINE - 2, top + _LINE - 2), colour(index))
        draw.text((_LINE + 4, top + 3), text, "black")
    return np.asarray(image)
