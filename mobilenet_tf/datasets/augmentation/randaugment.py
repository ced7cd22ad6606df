"""RandAugment (arXiv 1909.13719): a few of fourteen operations, all with one magnitude.

Operations that move pixels or scale colours become factors of the other changes; the rest are
`PIXEL_OPERATIONS`. The ranges are those of torchvision for a magnitude of 10.
"""

from typing import NamedTuple

import numpy as np

Sides = tuple[int, int]  # height and width in pixels

# Index 0 changes nothing. Sharpness works in two directions, which are separate operations here.
PIXEL_OPERATIONS = (
    "identity",
    "autocontrast",
    "equalize",
    "solarize",
    "posterize",
    "sharpen",
    "blur",
)

_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_COLOURS = ("brightness", "contrast", "saturation")
_OTHERS = ("identity", "autocontrast", "equalize", "solarize", "posterize", "sharpness")
OPERATIONS = _GEOMETRY + _COLOURS + _OTHERS

# Largest strengths. FACTOR is that of colours and of sharpness.
FACTOR = 0.9
_ROTATE, _SHEAR, _TRANSLATE = np.deg2rad(30.0), 0.3, 150 / 331


class Drawn(NamedTuple):
    """Operations drawn for N images.

    Attributes:
        warps: (N, 8) transforms from output pixels to output pixels, as in `Changes.transforms`.
        factors: (3, N) factors of brightness, contrast and saturation.
        operations: float32 (N, rounds) indices into `PIXEL_OPERATIONS`.
    """

    warps: np.ndarray
    factors: np.ndarray
    operations: np.ndarray


def draw_operations(
    random: np.random.Generator, count: int, rounds: int, magnitude: float, sides: Sides
) -> Drawn:
    """Draw `rounds` operations for each of `count` images, all equally likely.

    Args:
        random: Source of random numbers.
        count: Number of images.
        rounds: Number of operations per image.
        magnitude: Strength of every operation, from 0 to 10.
        sides: Height and width of the images in pixels.
    """
    warps = np.tile(np.eye(3), (count, 1, 1))
    factors = np.ones((3, count))
    operations = np.zeros((count, rounds), np.float32)
    for place in range(rounds):
        chosen = random.integers(len(OPERATIONS), size=count)
        signed = magnitude / 10 * random.choice((-1.0, 1.0), count)
        for row, (index, strength) in enumerate(zip(chosen, signed, strict=True)):
            name = OPERATIONS[index]
            if name in _GEOMETRY:
                warps[row] = _warp(name, strength, sides) @ warps[row]
            elif name in _COLOURS:
                factors[_COLOURS.index(name), row] *= 1 + FACTOR * strength
            else:
                if name == "sharpness":
                    name = "sharpen" if strength > 0 else "blur"
                operations[row, place] = PIXEL_OPERATIONS.index(name)
    return Drawn(warps.reshape(count, 9)[:, :8], factors, operations)


def _warp(name: str, strength: float, sides: Sides) -> np.ndarray:
    """Return a 3x3 transform about the centre of the image."""
    height, width = sides
    linear, centre = np.eye(3), np.eye(3)
    if name == "rotate":
        angle = _ROTATE * strength
        linear[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    elif name == "shear_x":
        linear[0, 1] = _SHEAR * strength
    elif name == "shear_y":
        linear[1, 0] = _SHEAR * strength
    elif name == "translate_x":
        linear[0, 2] = _TRANSLATE * width * strength
    else:
        linear[1, 2] = _TRANSLATE * height * strength
    centre[:2, 2] = (width - 1) / 2, (height - 1) / 2
    return centre @ linear @ np.linalg.inv(centre)
