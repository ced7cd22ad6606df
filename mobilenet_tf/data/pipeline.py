"""`Split` -> batches for Keras: (float32 normalised pictures, float32 one-hot labels).

Training batches are a function of (seed, step) alone. A run that was killed and starts again at
step k sees what it would have seen.
"""

import math
from functools import lru_cache

import numpy as np
import tensorflow as tf
from PIL import Image

from mobilenet_tf.data.augmentation import NO_AUGMENTATION, Augmentation, Changes, draw
from mobilenet_tf.data.changes import change, mix
from mobilenet_tf.data.dataset import Split, balanced
from mobilenet_tf.data.pictures import normalise
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.spec import ModelSpec

# Independent streams of random numbers from one seed.
_ORDER, _CHANGES = 0, 1


def steps_per_epoch(split: Split, batch: int) -> int:
    """Steps after which every picture has been seen."""
    return max(1, math.ceil(len(split) / batch))


def training_batches(
    split: Split,
    spec: ModelSpec,
    batch: int,
    seed: int,
    steps: int,
    start_step: int = 0,
    augmentation: Augmentation = NO_AUGMENTATION,
    replicas: int = 1,
    mine: range = range(1),
) -> tf.data.Dataset:
    """Batches number `start_step` to `steps - 1` of a run, always full.

    The pictures form one endless row: all of them in an order drawn for pass 0, then all in an
    order drawn for pass 1, and so on. Step k takes `batch` of them from position k * batch, so
    no picture is dropped or seen more often than another, and a set smaller than a batch works.

    Args:
        split: pictures of side >= spec.size; rotated, zoomed and scaled in one interpolation.
        spec: gives size, channels, preprocessing and the number of classes.
        batch: pictures per step.
        seed: >= 0.
        steps: of the whole run.
        start_step: steps that are done already.
        augmentation: strengths; by default pictures are only scaled.
        replicas: that share each batch.
        mine: those of them that get their shares from this data set, in turn.

    Returns:
        `steps - start_step` pairs (batch, size, size, channels), (batch, classes), or such pairs
        of batch / replicas for each of `mine`. Pixels are clipped to 0..255 before they are
        normalised.

    Raises:
        UserError: no pictures, or a value out of range.
    """
    _check(split, spec, batch)
    if seed < 0:
        raise UserError(f"seed is {seed}; it must be at least 0.")
    if batch % replicas:
        raise UserError(f"batch is {batch}; it must be a multiple of the {replicas} replicas.")
    side, size, share = split.pictures.shape[1], spec.size, batch // replicas
    example = draw(augmentation, np.random.default_rng(0), 1, side, size)

    @lru_cache(maxsize=4)
    def order(number: int) -> np.ndarray:
        return np.random.default_rng((seed, _ORDER, number)).permutation(len(split))

    def fetch(index):
        step, turn = divmod(int(index), len(mine))
        cut = slice(mine[turn] * share, (mine[turn] + 1) * share)
        places = range(step * batch, (step + 1) * batch)[cut]
        rows = np.array([order(place // len(split))[place % len(split)] for place in places])
        random = np.random.default_rng((seed, _CHANGES, step))
        changes = draw(augmentation, random, batch, side, size)
        return split.pictures[rows], split.labels[rows], *(values[cut] for values in changes)

    def make(index):
        # Indexing in NumPy: an array in a graph is copied, and a memory map cannot be in one.
        pictures, labels, *changes = tf.numpy_function(
            fetch, [index], (tf.uint8, tf.int64, *[tf.float32] * len(example))
        )
        pictures.set_shape((share, side, side, spec.channels))
        for values, one in zip(changes, example, strict=True):
            values.set_shape((share, one.shape[1]))
        labels.set_shape((share,))
        changes = Changes(*changes)
        pictures = change(pictures, changes, size, augmentation, spec.preprocessing)
        return mix(pictures, tf.one_hot(labels, spec.classes), changes, augmentation)

    return (
        tf.data.Dataset.range(start_step * len(mine), steps * len(mine))
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def evaluation_batches(split: Split, spec: ModelSpec, batch: int) -> tf.data.Dataset:
    """All pictures once, in the split's order, unchanged; the last batch may be smaller.

    Pictures that are kept larger (train) are scaled to size; see `at_size`.

    Raises:
        UserError: no pictures, or a value out of range.
    """
    _check(split, spec, batch)

    def fetch(start):
        rows = slice(int(start), int(start) + batch)
        pixels = at_size(split.pictures[rows], spec.size)
        return normalise(pixels, spec.preprocessing), split.labels[rows]

    def make(start):
        pictures, labels = tf.numpy_function(fetch, [start], (tf.float32, tf.int64))
        pictures.set_shape((None, spec.size, spec.size, spec.channels))
        labels.set_shape((None,))
        return pictures, tf.one_hot(labels, spec.classes)

    return (
        tf.data.Dataset.range(0, len(split), batch)
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def calibration_pictures(split: Split, spec: ModelSpec, count: int, seed: int) -> np.ndarray:
    """`count` unchanged pictures, all classes alike.

    Returns:
        float32 (count, size, size, channels), normalised.
    """
    rows = balanced(split.labels, count, seed)
    return normalise(at_size(split.pictures[rows], spec.size), spec.preprocessing)


def at_size(pictures: np.ndarray, size: int) -> np.ndarray:
    """uint8 (N, side, side, c) -> (N, size, size, c), by Pillow's resize; as is if side == size.

    A picture scaled twice is within a few grey levels of one scaled once by `prepare`.
    """
    if pictures.shape[1] == size:
        return pictures
    scaled = [
        np.asarray(
            Image.fromarray(np.squeeze(picture)).resize((size, size), Image.Resampling.BILINEAR)
        )
        for picture in pictures
    ]
    return np.stack(scaled).reshape(len(pictures), size, size, pictures.shape[3])


def _check(split: Split, spec: ModelSpec, batch: int) -> None:
    if not len(split):
        raise UserError("The split has no pictures; at least 1 is needed.")
    if batch < 1:
        raise UserError(f"batch is {batch}; it must be at least 1.")
    if split.labels.max() >= spec.classes:
        raise UserError(
            f"classes is {spec.classes}, but the pictures have labels up to {split.labels.max()}."
        )
    if split.pictures.shape[1] < spec.size or split.pictures.shape[3] != spec.channels:
        side, channels = split.pictures.shape[2:]
        raise UserError(
            f"The pictures are {side}x{side}x{channels}; size {spec.size} and channels "
            f"{spec.channels} need others: load the data with this model's specification."
        )
