"""Batches for Keras: normalised float32 images, and what a network learns of their labels.

Training batches are a function of (seed, step) alone. A run that was killed and continues at
step k gets the batches that it would have got.
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.apply import change, mix
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, Changes, draw
from mobilenet_tf.datasets.batch_plan import ONE_REPLICA, BatchPlan, Replicas, check_batch
from mobilenet_tf.datasets.dataset import Split, TrainingImages, rescale, with_margin
from mobilenet_tf.datasets.stream import Stream
from mobilenet_tf.networks.rows import Network

# Independent random generators derived from one seed.
_ORDER, _CHANGES = 0, 1
Sides = tuple[int, int]  # height and width in pixels


class Moves(NamedTuple):
    """How the pictures of a batch were moved.

    Attributes:
        transforms: `Changes.transforms`, from pixels of the input to pixels of the stored picture.
        stored: Sides of the stored pictures.
        sides: Sides of the input.
    """

    transforms: tf.Tensor
    stored: Sides
    sides: Sides


class Targets(Protocol):
    """What a network learns of labels; every task has its own, see `tasks.objective`."""

    @property
    def ordered(self) -> bool:
        """Whether `order` needs to know all labels."""

    def check(self, labels: np.ndarray) -> None:
        """Reject labels that do not suit the network."""

    def order(self, labels: np.ndarray, batch: int, random: np.random.Generator) -> np.ndarray:
        """Return the indices of the training images in the order of one pass."""

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return what the outputs are compared with; `moves` is None for unmoved pictures."""


def steps_per_epoch(split: TrainingImages, batch: int) -> int:
    """Return the number of steps after which every image has been used."""
    return max(1, math.ceil(len(split) / batch))


def training_batches(
    split: TrainingImages,
    input_spec: InputSpec,
    learned: Targets,
    plan: BatchPlan,
    *,
    augmentation: Augmentation = NO_AUGMENTATION,
    replicas: Replicas = ONE_REPLICA,
) -> tf.data.Dataset:
    """Return the batches `plan.start_step` to `plan.steps - 1` of a run, all of full size.

    The images form one endless sequence: all of them in the order of pass 0, then all in the order
    of pass 1, and so on; the orders are random, or those of the task. Step k uses `plan.batch`
    images from position k * plan.batch. So no image is dropped or used more often than another,
    and a split may be smaller than a batch.

    Args:
        split: Images at least as large as the input.
        input_spec: Input of the network.
        learned: What it learns of the labels.
        plan: Size, number and seed of the batches.
        augmentation: Strengths of the random changes; by default, images are only resized.
        replicas: Replicas that share each batch.

    Returns:
        `steps - start_step` pairs of images (batch, height, width, channels) and targets
        (batch, ...). With several replicas, each pair is the part of one replica, for all of
        `replicas.mine` in turn. Pixels are clipped to 0..255 before they are normalised.

    Raises:
        UserError: There are no images, they do not suit the network, or the replicas cannot share
            the batch equally.
    """
    _check_not_empty(split)
    batch, turns = plan.batch, len(replicas.mine)
    share = replicas.share(batch)
    if isinstance(split, Stream):
        if learned.ordered:
            raise UserError(
                "These images are read when they are needed, so their labels are not known in "
                "advance, and no batches of several images per class can be made."
            )
        # Random crops are cut from the whole image; the other changes then need no margin.
        stored = input_spec if augmentation.crop else with_margin(input_spec)
        read = split.batches(stored, plan, crop=augmentation.crop, replicas=replicas)
        augmentation = replace(augmentation, crop=0.0)
    else:
        assert isinstance(split, Split)
        _check_images(split, input_spec, learned)
        stored = replace(input_spec, size=split.images.shape[1:3])
        read = _read(split, learned, plan, replicas)
    sides = (stored.height, stored.width), (input_spec.height, input_spec.width)
    example = draw(augmentation, np.random.default_rng(0), 1, *sides)

    def fetch_changes(index: np.ndarray) -> list[np.ndarray]:
        step, turn = divmod(int(index), turns)
        random = np.random.default_rng((plan.seed, _CHANGES, step))
        changes = draw(augmentation, random, batch, *sides)
        return [values[replicas.part(batch, turn)] for values in changes]

    def make(index: tf.Tensor, part: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = part
        changes = tf.numpy_function(fetch_changes, [index], [tf.float32] * len(example))
        for values, one in zip(changes, example, strict=True):
            values.set_shape((share, one.shape[1]))
        images = tf.ensure_shape(images, (share, *stored.shape))
        changes = Changes(*changes)
        images = change(images, changes, augmentation, input_spec)
        targets = learned.targets(
            tf.ensure_shape(labels, (share, *labels.shape[1:])), Moves(changes.transforms, *sides)
        )
        return mix(images, targets, changes, augmentation)

    indices = tf.data.Dataset.range(plan.start_step * turns, plan.steps * turns)
    return (
        tf.data.Dataset.zip((indices, read))
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def _read(split: Split, learned: Targets, plan: BatchPlan, replicas: Replicas) -> tf.data.Dataset:
    """Return the images and labels of each part of each batch, as in `training_batches`."""
    batch, turns = plan.batch, len(replicas.mine)

    @lru_cache(maxsize=4)
    def order(number: int) -> np.ndarray:
        random = np.random.default_rng((plan.seed, _ORDER, number))
        return learned.order(split.labels, batch, random)

    length = len(order(0))

    def fetch(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        step, turn = divmod(int(index), turns)
        places = range(step * batch, (step + 1) * batch)[replicas.part(batch, turn)]
        rows = np.array([order(place // length)[place % length] for place in places])
        return split.images[rows], split.labels[rows]

    def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Index in NumPy: TensorFlow would copy an array into the graph and cannot hold a memory
        # map.
        images, labels = tf.numpy_function(fetch, [index], (tf.uint8, split.labels.dtype))
        labels.set_shape((None, *split.labels.shape[1:]))
        return images, labels

    return tf.data.Dataset.range(plan.start_step * turns, plan.steps * turns).map(
        read,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def evaluation_batches(
    split: Split, input_spec: InputSpec, learned: Targets, batch: int
) -> tf.data.Dataset:
    """Return all images once, in order and without augmentation; the last batch may be smaller.

    Images that are stored larger (train) are resized to the input; see `rescale`.

    Args:
        split: Images at least as large as the input.
        input_spec: Input of the network.
        learned: What it learns of the labels.
        batch: Number of images per batch.

    Raises:
        UserError: There are no images, they do not suit the network, or the batch is smaller
            than 1.
    """
    _check_not_empty(split)
    check_batch(batch)
    _check_images(split, input_spec, learned)

    def fetch(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(int(start), int(start) + batch)
        pixels = rescale(split.images[rows], input_spec)
        return input_spec.normalise(pixels), split.labels[rows]

    def make(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = tf.numpy_function(fetch, [start], (tf.float32, split.labels.dtype))
        images.set_shape((None, *input_spec.shape))
        labels.set_shape((None, *split.labels.shape[1:]))
        return images, learned.targets(labels, None)

    return (
        tf.data.Dataset.range(0, len(split), batch)
        .map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(2)
    )


def calibration_images(
    split: TrainingImages, network: Network, count: int, seed: int
) -> np.ndarray:
    """Return up to `count` images without augmentation, balanced over the classes if possible.

    images.py has the measured difference between these images and those of `read_image`.

    Returns:
        float32 array (count, height, width, channels), normalised.
    """
    return network.input.normalise(split.sample(count, seed, network.input).images)


def _check_not_empty(split: TrainingImages) -> None:
    if not len(split):
        raise UserError("The split has no images; at least 1 is needed.")


def _check_images(split: Split, input_spec: InputSpec, learned: Targets) -> None:
    learned.check(split.labels)
    stored, needed = split.images.shape[1:], input_spec.shape
    if stored[0] < needed[0] or stored[1] < needed[1] or stored[2] != needed[2]:
        found, expected = ("x".join(map(str, shape)) for shape in (stored, needed))
        raise UserError(
            f"The images are {found} (height x width x channels), but the network's input is "
            f"{expected}: load the dataset for this network's input."
        )
