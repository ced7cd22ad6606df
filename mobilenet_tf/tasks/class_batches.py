"""Batches of P classes x K pictures, for losses that compare the pictures of a batch."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError

_MIXED = ("augmentation.mixup", "augmentation.cutmix")


def class_batches(
    labels: np.ndarray, batch: int, pictures: int, random: np.random.Generator
) -> np.ndarray:
    """Return the order of one pass: `ceil(N / batch)` batches, one after the other.

    Each batch has `batch // pictures` classes, all different and each as likely as the others, or
    all classes if there are fewer; their numbers of pictures differ by at most one. A class uses
    up its pictures in a random order before it repeats one.

    Args:
        labels: Classes of the N pictures, int (N,).
        batch: Number of pictures per batch.
        pictures: K, the smallest number of pictures per class.
        random: Decides everything else.

    Returns:
        Indices (ceil(N / batch) * batch,); the pictures of a class stand together.
    """
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    queues: list[list[int]] = [[] for _ in members]
    classes = min(max(batch // pictures, 1), len(members))
    sizes = [len(part) for part in np.array_split(np.arange(batch), classes)]
    order: list[int] = []
    for _ in range(math.ceil(len(labels) / batch)):
        for place, size in zip(random.permutation(len(members))[:classes], sizes, strict=True):
            while len(queues[place]) < size:
                queues[place] += random.permutation(members[place]).tolist()
            order += queues[place][:size]
            del queues[place][:size]
    return np.array(order, int)


def check_class_batches(fields: Mapping[str, Any], what: str) -> None:
    """Reject a recipe that does not suit such batches.

    Args:
        fields: Path -> value, as for `Task.check_recipe`.
        what: What is trained, in the plural.

    Raises:
        UserError: Pictures are mixed, so that they have no class; or classes have weights.
    """
    for stage in ("train", "qat"):
        for name in (f"{stage}.{mixed}" for mixed in _MIXED):
            if fields[name]:
                raise UserError(
                    f"{name} is {fields[name]}; it must be 0 for {what}, whose images need one "
                    "class each."
                )
        if fields[f"{stage}.class_weights"]:
            raise UserError(
                f"{stage}.class_weights is true; it must be false for {what}, whose batches have "
                "all classes equally often."
            )


def in_turn(labels: np.ndarray, pictures: int) -> np.ndarray:
    """Return an order that takes so many pictures of each class in turn, without any randomness.

    Args:
        labels: Classes of the N pictures, int (N,).
        pictures: Number of pictures that stand together.

    Returns:
        Indices (N,), each once.
    """
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    return np.lexsort((rank, labels, rank // pictures))
