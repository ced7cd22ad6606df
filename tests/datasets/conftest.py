from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Classifier, Network


@pytest.fixture
def make_spec():
    def make(size=32, channels=3, crop=1.0):
        return InputSpec(size, channels, crop=crop)

    return make


@pytest.fixture
def make_network():
    """Return a network without a backbone: the pipeline uses only its input and classes."""

    def make(size=32, classes=3, channels=3, crop=1.0):
        return Network(InputSpec(size, channels, crop=crop), (), (Classifier(classes),))

    return make


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """48x32 RGB; every quarter differs, smooth enough for lossy formats."""
    y, x = np.mgrid[0:32, 0:48]
    pixels = np.stack([x * 5, y * 7, 255 - (x + y) * 3], axis=-1)
    pixels[:8, :8] = (250, 20, 20)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture
def make_folder(tmp_path):
    """Create class folders of small images; `counts` maps "class" or "split/class" to a number."""

    def make(counts: dict[str, int], root: Path = tmp_path / "data") -> Path:
        random = np.random.default_rng(0)
        for folder, count in counts.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / folder / f"{number:03d}.png")
        return root

    return make
