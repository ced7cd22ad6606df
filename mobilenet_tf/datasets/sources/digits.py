"""scikit-learn's handwritten digits: real data that needs no download."""

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress, from_images


def load_digits(spec: InputSpec, seed: int = 0, progress: Progress | None = None) -> Dataset:
    """1,797 digits written by 43 people, 8x8 with 17 greys, ten classes (UCI, 1998)."""
    from sklearn.datasets import load_digits as bundled

    digits = bundled()
    greys = np.round(digits.images * (255 / 16)).astype(np.uint8)
    return from_images(
        source="digits",
        classes=tuple(str(label) for label in digits.target_names),
        images=(Image.fromarray(grey).convert("RGB") for grey in greys),
        names=[f"{index:04d}" for index in range(len(greys))],
        labels=digits.target,
        parts=["train"] * len(greys),
        spec=spec,
        seed=seed,
        progress=progress,
    )
