"""`Split` -> batches for Keras: (float32 normalised pictures, float32 one-hot labels).

Training batches are a function of (seed, step) alone. A run that was killed and starts again at
step k sees what it would have seen.
"""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.augmentation.apply import change, mix
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, Changes, draw
from mobilenet_tf.datasets.dataset import Split, at_size, train_side
from mobilenet_tf.datasets.stream import Stream
from mobilenet_tf.networks.rows import Network

# Independent streams of random numbers from one seed.
_ORDER, _CHANGES = 0, 1


def steps_per_epoch(split: Split | Stream, batch: int) -> int:
    """Steps after which every picture has been seen."""
    return max(1, math.ceil(len(split) / batch))


def training_batches(
    split: Split | Stream,
    network: Network,
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
        split: pictures at least as large as the input.
        network: gives size, channels, preprocessing and the number of classes.
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
    _check_batch(split, batch)
    if seed < 0:
        raise UserError(f"seed is {seed}; it must be at least 0.")
    if batch % replicas:
        raise UserError(f"batch is {batch}; it must be a multiple of the {replicas} replicas.")
    size, share = network.input.side, batch // replicas
    if isinstance(split, Stream):
        # Cut from the whole picture; the rest of the changes then needs no margin.
        side = size if augmentation.crop else train_side(size)
        cut = slice(mine[0] * share, (mine[-1] + 1) * share, share)
        read = split.batches(network.input, side, augmentation.crop, seed, batch, start_step, cut)
        augmentation = replace(augmentation, crop=0.0)
    else:
        _check_pictures(split, network)
        side = split.pictures.shape[1]
        read = _read(split, seed, batch, share, start_step, steps, mine)
    example = draw(augmentation, np.random.default_rng(0), 1, side, size)

    def fetch_changes(index):
        step, turn = divmod(int(index), len(mine))
        random = np.random.default_rng((seed, _CHANGES, step))
        changes = draw(augmentation, random, batch, side, size)
        return [values[mine[turn] * share :][:share] for values in changes]

    def make(index, batch_read):
        pictures, labels = batch_read
        changes = tf.numpy_function(fetch_changes, [index], [tf.float32] * len(example))
        for values, one in zip(changes, example, strict=True):
            values.set_shape((share, one.shape[1]))
        pictures = tf.ensure_shape(pictures, (share, side, side, network.input.channels))
        changes = Changes(*changes)
        pictures = change(pictures, changes, size, augmentation, network.input)
        labels = tf.one_hot(tf.ensure_shape(labels, (share,)), network.classes)
        return mix(pictures, labels, changes, augmentation)

    indices = tf.data.Dataset.range(start_step * len(mine), steps * len(mine))
    return (
        tf.data.Dataset.zip((indices, read))
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def _read(
    split: Split, seed: int, batch: int, share: int, start_step: int, steps: int, mine: range
) -> tf.data.Dataset:
    """(pictures, labels) of each share of each batch; arguments as in `training_batches`."""

    @lru_cache(maxsize=4)
    def order(number: int) -> np.ndarray:
        return np.random.default_rng((seed, _ORDER, number)).permutation(len(split))

    def fetch(index):
        step, turn = divmod(int(index), len(mine))
        places = range(step * batch, (step + 1) * batch)[mine[turn] * share :][:share]
        rows = np.array([order(place // len(split))[place % len(split)] for place in places])
        return split.pictures[rows], split.labels[rows]

    # Indexing in NumPy: an array in a graph is copied, and a memory map cannot be in one.
    return tf.data.Dataset.range(start_step * len(mine), steps * len(mine)).map(
        lambda index: tf.numpy_function(fetch, [index], (tf.uint8, tf.int64)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def evaluation_batches(split: Split, network: Network, batch: int) -> tf.data.Dataset:
    """All pictures once, in the split's order, unchanged; the last batch may be smaller.

    Pictures that are kept larger (train) are scaled to size; see `at_size`.

    Raises:
        UserError: no pictures, or a value out of range.
    """
    _check_batch(split, batch)
    _check_pictures(split, network)

    def fetch(start):
        rows = slice(int(start), int(start) + batch)
        pixels = at_size(split.pictures[rows], network.input.side)
        return network.input.normalise(pixels), split.labels[rows]

    def make(start):
        pictures, labels = tf.numpy_function(fetch, [start], (tf.float32, tf.int64))
        pictures.set_shape((None, network.input.side, network.input.side, network.input.channels))
        labels.set_shape((None,))
        return pictures, tf.one_hot(labels, network.classes)

    return (
        tf.data.Dataset.range(0, len(split), batch)
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def calibration_pictures(
    split: Split | Stream, network: Network, count: int, seed: int
) -> np.ndarray:
    """`count` unchanged pictures, all classes alike.

    Returns:
        float32 (count, size, size, channels), normalised.
    """
    return network.input.normalise(split.sample(count, seed, network.input).pictures)


def _check_batch(split: Split | Stream, batch: int) -> None:
    if not len(split):
        raise UserError("The split has no pictures; at least 1 is needed.")
    if batch < 1:
        raise UserError(f"batch is {batch}; it must be at least 1.")


def _check_pictures(split: Split, network: Network) -> None:
    if split.labels.max() >= network.classes:
        raise UserError(
            f"classes is {network.classes}, but the pictures have labels up to "
            f"{split.labels.max()}."
        )
    if (
        split.pictures.shape[1] < network.input.side
        or split.pictures.shape[3] != network.input.channels
    ):
        side, channels = split.pictures.shape[2:]
        raise UserError(
            f"The pictures are {side}x{side}x{channels}; size {network.input.side} and channels "
            f"{network.input.channels} need others: load the data with this model's specification."
        )
