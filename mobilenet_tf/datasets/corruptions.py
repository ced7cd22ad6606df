"""Damaged copies of images, to measure how robust a finished model is.

The kinds are those of Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations" (2019), that are most common on a phone. They act on input pixels,
after all preprocessing, so a strength means the same for every source.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Damage = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Corruption:
    """One way to damage images.

    Attributes:
        name: Name of the kind.
        strengths: Strengths to measure, from slight to severe.
        unit: Meaning of a strength.
        damage: Function of an image of mode RGB or L, a strength and a random generator that
            returns the damaged copy.
    """

    name: str
    strengths: Sequence[float]
    unit: str
    damage: Damage


def _blur(image: Image.Image, strength: float, random: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(strength * image.width))


def _noise(image: Image.Image, strength: float, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image)
    noisy = np.rint(pixels + random.normal(0, strength, pixels.shape))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, strength: float, random: np.random.Generator) -> Image.Image:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=int(strength))
    return Image.open(stream)


def _brightness(image: Image.Image, strength: float, random: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(strength)


CORRUPTIONS = (
    Corruption("blur", (0.005, 0.01, 0.02), "sigma of a Gaussian, as a share of the width", _blur),
    Corruption("noise", (10, 20, 40), "standard deviation of Gaussian noise, grey levels", _noise),
    Corruption("jpeg", (50, 25, 10), "quality of Pillow's JPEG", _jpeg),
    Corruption("dark", (0.7, 0.5, 0.3), "factor on every pixel", _brightness),
    Corruption("bright", (1.3, 1.7, 2.2), "factor on every pixel, clipped at white", _brightness),
)


@dataclass(frozen=True, eq=False)
class Corrupted:
    """A sequence of images that are damaged when they are read.

    The noise of an image depends only on the seed and the image's index.

    Attributes:
        images: uint8 array (N, height, width, channels) of the original images.
        corruption: Kind of damage.
        strength: Strength of the damage, in the kind's unit.
        seed: Seed of the random damage.
    """

    images: np.ndarray
    corruption: Corruption
    strength: float
    seed: int = 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, part: slice) -> np.ndarray:
        """Return damaged uint8 copies of a slice of the images."""
        rows = range(len(self))[part]
        copies = np.empty_like(self.images[part])
        for copy, row in zip(copies, rows, strict=True):
            image = Image.fromarray(np.squeeze(self.images[row]))
            random = np.random.default_rng([self.seed, row])
            damaged = np.asarray(self.corruption.damage(image, self.strength, random))
            copy[...] = damaged.reshape(copy.shape)
        return copies
