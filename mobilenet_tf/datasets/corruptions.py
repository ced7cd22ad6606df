"""Damaged copies of pictures: how a finished model bears what cameras really give.

The kinds are those of Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations" (2019), that a phone meets most. They act on the network's input
pixels, after everything in `pictures`, so a strength means the same for every source.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Damage = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Corruption:
    """One way to damage pictures.

    Attributes:
        name: of the kind.
        strengths: from hardly to badly damaged.
        unit: what a strength is.
        damage: a picture of mode RGB or L, a strength and a random generator -> the copy.
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
    Corruption("blur", (0.005, 0.01, 0.02), "sigma of a Gaussian, as a share of the side", _blur),
    Corruption("noise", (10, 20, 40), "standard deviation of Gaussian noise, grey levels", _noise),
    Corruption("jpeg", (50, 25, 10), "quality of Pillow's JPEG", _jpeg),
    Corruption("dark", (0.7, 0.5, 0.3), "factor on every pixel", _brightness),
    Corruption("bright", (1.3, 1.7, 2.2), "factor on every pixel, cut at white", _brightness),
)


@dataclass(frozen=True, eq=False)
class Corrupted:
    """Pictures that are damaged when they are read; the same seed gives the same copies.

    Attributes:
        pictures: uint8 (N, side, side, channels).
        corruption: the kind.
        strength: how much.
        seed: of what is random. A picture's noise depends on the seed and its place only.
    """

    pictures: np.ndarray
    corruption: Corruption
    strength: float
    seed: int = 0

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, part: slice) -> np.ndarray:
        """uint8 copies of the pictures of a slice."""
        rows = range(len(self))[part]
        copies = np.empty_like(self.pictures[part])
        for copy, row in zip(copies, rows, strict=True):
            image = Image.fromarray(np.squeeze(self.pictures[row]))
            random = np.random.default_rng([self.seed, row])
            damaged = np.asarray(self.corruption.damage(image, self.strength, random))
            copy[...] = damaged.reshape(copy.shape)
        return copies
