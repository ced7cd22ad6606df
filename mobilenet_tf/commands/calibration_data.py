"""The pictures on which a trained classifier is calibrated and compared with its file."""

from dataclasses import replace
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import spelled
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.contents import classes_text, describe
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Split
from mobilenet_tf.datasets.unlabelled import load_pictures
from mobilenet_tf.tasks.classification.task import Classification

TASK = Classification()


def read_pictures(
    source: str, names: tuple[str, ...] | None, outputs: int, input_spec: InputSpec, seed: int
) -> Dataset:
    """Read pictures, with their labels if these name classes of a network.

    Args:
        source: As for `load_pictures`.
        names: Names of the network's outputs, if they are known; otherwise a source of as many
            classes has its classes in their order.
        outputs: Number of outputs.
        input_spec: Input of the network.
        seed: Seed of the splits.

    Returns:
        A dataset with the outputs as its classes, or one without classes and labels.

    Raises:
        UserError: There are no pictures.
    """
    try:
        classes = _classes(source, names, outputs)
    except UserError as error:
        with picture_progress(f"Reading {source}") as progress:
            data = load_pictures(source, input_spec, seed, progress)
        reason = f"labels are not used: {str(error).rstrip('.')}"
        data = replace(data, notes=[*data.notes, reason])
        announce(describe(data))
        return data
    return _in_order(TASK.read(source, input_spec, seed), classes)


def _classes(source: str, names: tuple[str, ...] | None, outputs: int) -> tuple[str, ...]:
    """Return the names of the outputs, spelled as the classes of the source.

    Raises:
        UserError: The source has no classes, or others.
    """
    classes = TASK.class_names(source)
    found = spelled(names, classes) if names else classes
    if names and not set(classes) <= set(found):
        raise UserError(
            f"the pictures are of {classes_text(classes)}, not all of which are among the model's "
            f"{classes_text(names)}"
        )
    if len(found) != outputs:
        raise UserError(f"the pictures are of {len(classes):,} classes, the model of {outputs:,}")
    return found


def _in_order(data: Dataset, classes: tuple[str, ...]) -> Dataset:
    """Return a dataset with more classes, or its own in another order."""
    places = np.array([classes.index(name) for name in data.classes])
    splits: dict[str, Any] = {
        part: replace(split, labels=places[split.labels])
        for part in SPLITS
        if isinstance(split := getattr(data, part), Split)  # a stream has no labels yet
    }
    return replace(data, classes=classes, **splits)
