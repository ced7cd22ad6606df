"""Pictures with masks: a class for every pixel."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.masks import prepared_mask
from mobilenet_tf.datasets.scenes import Scene, scene_dataset

SCENE_CLASSES = ("background", *"0123456789")


def load_masks(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
) -> Dataset:
    """Load pictures with masks and assign them to splits."""
    if source == "digits":
        return scene_dataset(SCENE_CLASSES, _scene_mask, input_spec, seed, progress)
    raise UserError("not yet")


def load_test_masks(
    source: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    data = load_masks(source, input_spec, seed, progress)
    if data.classes != tuple(labels):
        raise UserError(f"The classes of {source} are not those of the model.")
    return TestImages(data.test, data.skipped, data.notes)


def mask_classes(source: str) -> tuple[str, ...]:
    return SCENE_CLASSES


def _scene_mask(scene: Scene, stored: InputSpec) -> np.ndarray:
    return prepared_mask(Image.fromarray(scene.mask()), stored)
