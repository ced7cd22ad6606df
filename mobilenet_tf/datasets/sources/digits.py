"""The handwritten digits that are part of scikit-learn: real data that needs no download."""

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress
from mobilenet_tf.datasets.sources.decoded import from_images
from mobilenet_tf.datasets.splitting import Listing


def load_digits(input_spec: InputSpec, seed: int = 0, progress: Progress | None = None) -> Dataset:
    """Load 1,797 digits by 43 writers, 8x8 pixels with 17 grey levels, ten classes (UCI, 1998).

    Args:
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
    """
    from sklearn.datasets import load_digits as bundled

    digits = bundled()
    greys = np.round(digits.images * (255 / 16)).astype(np.uint8)
    listing = Listing(
        classes=tuple(str(label) for label in digits.target_names),
        names=[f"{index:04d}" for index in range(len(greys))],
        labels=digits.target,
    )
    images = (Image.fromarray(grey).convert("RGB") for grey in greys)
    return from_images("digits", listing, images, input_spec, seed=seed, progress=progress)
