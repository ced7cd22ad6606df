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
from mobilenet_tf.data.dataset import Split, balanced
from mobilenet_tf.data.pictures import normalise
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.spec import ModelSpec, Preprocessing

# Rec. 601, as in Pillow's L.
_GREY = (0.299, 0.587, 0.114)
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
        return split.pictures[rows], split.labels[rows], *(change[cut] for change in changes)

    def make(index):
        # Indexing in NumPy: an array in a graph is copied, and a memory map cannot be in one.
        pictures, labels, *changes = tf.numpy_function(
            fetch, [index], (tf.uint8, tf.int64, tf.float32, tf.float32, tf.float32)
        )
        pictures.set_shape((share, side, side, spec.channels))
        for change, width in zip(changes, (8, 3, 4), strict=True):
            change.set_shape((share, width))
        labels.set_shape((share,))
        pictures = _apply(pictures, Changes(*changes), size, augmentation, spec.preprocessing)
        return pictures, tf.one_hot(labels, spec.classes)

    return (
        tf.data.Dataset.range(start_step * len(mine), steps * len(mine))
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def _apply(
    pictures: tf.Tensor,
    changes: Changes,
    size: int,
    augmentation: Augmentation,
    preprocessing: Preprocessing,
) -> tf.Tensor:
    """uint8 (N, side, side, c) -> changed, clipped, normalised float32 (N, size, size, c)."""
    pixels = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pictures, tf.float32),
        transforms=changes.transforms,
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    # Brightness, contrast, saturation and normalisation are together one linear function of a
    # pixel, and fastest as one matrix product.
    mean, std = preprocessing.mean, preprocessing.std
    brightness, contrast, saturation = (
        factors[:, tf.newaxis, tf.newaxis] for factors in tf.unstack(changes.colours, axis=1)
    )
    if pixels.shape[-1] == 3:
        grey = tf.constant(_GREY)[:, tf.newaxis] * tf.ones((1, 3))
        matrix = saturation * tf.eye(3) + (1 - saturation) * grey
    else:
        matrix = tf.ones((1, 1, 1))
    flat = tf.reshape(pixels, (-1, size * size, pixels.shape[-1]))
    flat = flat @ (matrix * brightness * contrast / std) - contrast * mean / std
    flat = tf.clip_by_value(flat, (0 - mean) / std, (255 - mean) / std)
    pixels = tf.reshape(flat, tf.shape(pixels))
    if augmentation.erase:
        left, top, right, bottom = (
            edges[:, tf.newaxis] for edges in tf.unstack(changes.erased, axis=1)
        )
        at = tf.range(size, dtype=tf.float32)
        rows, columns = (at >= top) & (at < bottom), (at >= left) & (at < right)
        erased = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
        pixels *= 1 - tf.cast(erased, tf.float32)
    return pixels


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
