"""The handwritten digits that are part of scikit-learn: real data that needs no download."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.packages import require
from mobilenet_tf.datasets.dataset import Dataset, Progress
from mobilenet_tf.datasets.sources.decoded import from_images
from mobilenet_tf.datasets.splitting import Listing


def bundled_digits() -> tuple[Listing, np.ndarray]:
    """Return 1,797 digits by 43 writers, ten classes (UCI, 1998), as uint8 (N, 8, 8).

    They have 17 grey levels from 0 to 255, the ink is bright.

    Raises:
        UserError: scikit-learn is not installed.
    """
    require("The data digits", "scikit-learn")
    from sklearn.datasets import load_digits as bundled

    digits = bundled()
    greys = np.round(digits.images * (255 / 16)).astype(np.uint8)
    listing = Listing(
        classes=tuple(str(label) for label in digits.target_names),
        names=[f"{index:04d}" for index in range(len(greys))],
        labels=digits.target,
    )
    return listing, greys


def load_digits(input_spec: InputSpec, seed: int = 0, progress: Progress | None = None) -> Dataset:
    """Load `bundled_digits`.

    Args:
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
    """
    listing, greys = bundled_digits()
    images = digit_images(greys)
    return from_images("digits", listing, images, input_spec, seed=seed, progress=progress)


def digit_images(greys: np.ndarray) -> Iterator[Image.Image]:
    """Return images of mode RGB."""
    return (Image.fromarray(grey).convert("RGB") for grey in greys)
