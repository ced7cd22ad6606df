"""COCO's outlines and run lengths of objects, drawn as masks; what no object covers is background.

Objects are drawn from the largest to the smallest, so that what lies on another object is seen.
Crowds are ignored, because their outlines hold other things as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mobilenet_tf.core.inputs import Framing
from mobilenet_tf.datasets.masks import IGNORED, inside_padding, prepared_mask, shown_classes
from mobilenet_tf.datasets.placed import Placed, UnusableLabel
from mobilenet_tf.datasets.sources.annotations.coco import CocoPicture
from mobilenet_tf.datasets.sources.annotations.files import numbers

BACKGROUND = "background"
_SAME_SHAPE = 0.02  # largest difference of two aspect ratios
_FINER = 4  # outlines are drawn in pixels so many times as small
_FARTHEST = 2.0**17  # of these pixels from the corner, to which outlines are clipped
_MOST_PIXELS = 2**27


def place_outlines(picture: CocoPicture, framing: Framing, classes: Sequence[int]) -> Placed:
    """Draw the objects of a picture into its input.

    Args:
        picture: The picture with its objects.
        framing: How it lies in the input.
        classes: Class of each category.

    Returns:
        uint8 (height, width) of the input.

    Raises:
        UnusableLabel: The outlines are those of a picture of another shape.
    """
    width, height = framing.size
    across, down = picture.size or framing.size
    if abs(across * height / (down * width) - 1) > _SAME_SHAPE:
        raise UnusableLabel(
            f"its outlines are for a picture of {across:g}x{down:g} pixels (width x height), but "
            f"it has {width}x{height} when it is upright"
        )
    scale = np.array([width / across, height / down])
    drawn, repairs = [], []
    for one in picture.objects:
        inside = _inside(one.annotation.get("segmentation"), framing, scale)
        if inside is None:
            repairs.append("an object without a usable outline was left out")
            continue
        crowd = one.annotation.get("iscrowd") in (1, True)
        drawn.append((inside, IGNORED if crowd else classes[one.category]))
    mask = np.zeros(framing.sides[::-1], np.uint8)
    for inside, label in sorted(drawn, key=lambda pair: -np.count_nonzero(pair[0])):
        mask[inside] = label
    return Placed(inside_padding(mask, framing), repairs, shown_classes(mask))


def _inside(segmentation: Any, framing: Framing, scale: np.ndarray) -> np.ndarray | None:
    """Return the pixels of the input that an object covers, bool; None if it has no outline."""
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, framing)
    if not isinstance(segmentation, list):
        return None
    image = Image.new("1", (_FINER * framing.sides[0], _FINER * framing.sides[1]))
    draw, usable = ImageDraw.Draw(image), False
    for part in segmentation:
        values = numbers(part) if isinstance(part, list) else None
        if values is None or len(values) < 6 or len(values) % 2 or not np.isfinite(values).all():
            continue
        points = framing.shares(np.reshape(values, (-1, 2)) * scale) * image.size
        # Pillow's whole numbers are the centres of pixels.
        points = np.clip(points - 0.5, -_FARTHEST, _FARTHEST)
        draw.polygon([(float(x), float(y)) for x, y in points], fill=1)
        usable = True
    # Pillow also fills the pixels on an outline; these are those around the centres.
    middle = slice(_FINER // 2, None, _FINER)
    return np.asarray(image)[middle, middle] if usable else None


def _from_runs(runs: Mapping[str, Any], framing: Framing) -> np.ndarray | None:
    """Return the same of run lengths, plain or as COCO's text."""
    size, counts = runs.get("size"), runs.get("counts")
    sides = numbers(size) if isinstance(size, list) and len(size) == 2 else None
    if sides != framing.size[::-1]:
        return None
    lengths = _lengths(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or not all(
        type(one) is int and 0 <= one <= _MOST_PIXELS for one in lengths
    ):
        return None
    height, width = framing.size[::-1]
    if sum(lengths) != height * width:
        return None
    values = np.repeat(np.arange(len(lengths)) % 2, lengths).astype(np.uint8)
    whole = np.ascontiguousarray(values.reshape((height, width), order="F"))
    return prepared_mask(whole, framing) == 1


def _lengths(text: str) -> list[int] | None:
    """Return the run lengths of COCO's text: numbers of 5 bits, lowest first, from "0" on.

    From the third on, they are differences to the one two places before.
    """
    lengths: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii", "replace"):
        code = letter - 48
        if not 0 <= code < 64 or shift > 30:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return lengths
