"""Training images that do not fit in memory: decoded and cropped when they are needed.

As for images in memory, batch k is a function of (seed, k) alone. images.py has the measured
difference between this decoding, by TensorFlow, and `prepare`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import CROP_ASPECT
from mobilenet_tf.datasets.batch_plan import BatchPlan, Replicas
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.images import padding_value
from mobilenet_tf.datasets.stream_check import Records

# Number of files that are read in turn, and number of compressed images in the shuffle buffer:
# about 1 GB for ImageNet. The order of the files is shuffled as well.
_FILES, _BUFFER = 16, 8192
# Largest number of passes over the images; the number of steps ends a run long before.
_PASSES = 1_000_000
# TensorFlow's function for each value of `InputSpec.resize`.
_RESIZES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    **{
        name: partial(tf.image.resize, method=method, antialias=True)
        for name, method in (
            ("bilinear", "bilinear"),
            ("nearest", "nearest"),
            ("box", "area"),
            ("bicubic", "bicubic"),
            ("lanczos", "lanczos3"),
        )
    },
    "mediapipe": tf.compat.v1.image.resize_bilinear,  # whose corners are aligned, too
}

# Boxes are int32 tensors (left, top, right, bottom) in pixels.


@dataclass(frozen=True, eq=False)
class Stream:
    """Training images in TFRecord files; takes the place of a `Split`.

    Attributes:
        records: Files and the records in them.
        parse: Function of a record that returns an encoded JPEG or PNG and its label (int64).
    """

    records: tuple[Records, ...]
    parse: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

    def __len__(self) -> int:
        return sum(part.take for part in self.records)

    @property
    def labels(self) -> np.ndarray:
        """Labels, which are not known without reading everything.

        Raises:
            UserError: Always.
        """
        raise UserError(
            "These images are read when they are needed, so their labels are not known in "
            "advance; class_weights must be false."
        )

    def update_digest(self, digest: Any, name: str) -> None:
        """Update a hash with what identifies these images as the split `name`, unread.

        These are the names and sizes of the files.
        """
        sizes = [tf.io.gfile.stat(file.path).length for file in self.records]
        names = [(file.path.rpartition("/")[2], file.skip, file.take) for file in self.records]
        digest.update(repr((name, names, sizes)).encode())

    def sample(self, count: int, seed: int, input_spec: InputSpec) -> Split:
        """Return the first `count` images of a pass, without augmentation."""
        few = self._examples(seed, 0).take(count).map(self._parser(input_spec, 0.0, seed))
        images, labels = zip(*few.as_numpy_iterator(), strict=True)
        return Split(np.stack(images), np.array(labels), [""] * len(labels))

    def batches(
        self, input_spec: InputSpec, plan: BatchPlan, *, crop: float, replicas: Replicas
    ) -> tf.data.Dataset:
        """Return endless batches from number `plan.start_step` on.

        Args:
            input_spec: Input that the images are prepared for, perhaps with a margin.
            plan: Size, seed and first number of the batches.
            crop: Smallest area of a random crop, see `Augmentation.crop`; 0 prepares images as for
                evaluation. Random crops fill the whole input, whatever its `fit`.
            replicas: Replicas that share each batch.

        Returns:
            Pairs of uint8 images (n, height, width, channels) and int64 labels (n,), where n is
            the share of a replica; those of one batch for all of `replicas.mine` in turn.
        """
        batch, mine = plan.batch, replicas.mine
        first = replicas.part(batch, 0).start
        end = replicas.part(batch, len(mine) - 1).stop
        return (
            self._examples(plan.seed, plan.start_step * batch)
            .filter(lambda place, _: (first <= place % batch) & (place % batch < end))
            .map(
                self._parser(input_spec, crop, plan.seed),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
            .batch(replicas.share(batch), drop_remainder=True)
        )

    def _examples(self, seed: int, start: int) -> tf.data.Dataset:
        """Return (place, record) of endless passes, each in its own order, from `start` on."""
        paths = tf.constant([part.path for part in self.records])
        skips, takes = (
            tf.constant([getattr(part, name) for part in self.records], tf.int64)
            for name in ("skip", "take")
        )

        def one_file(index: tf.Tensor) -> tf.data.Dataset:
            return tf.data.TFRecordDataset(paths[index]).skip(skips[index]).take(takes[index])

        def one_pass(number: tf.Tensor) -> tf.data.Dataset:
            # This affects only the graph of this function. TensorFlow cannot combine a global seed
            # of 0, the default of a run, with a seed that is a tensor.
            tf.compat.v1.set_random_seed(1)
            order = tf.random.experimental.stateless_shuffle(
                tf.range(len(self.records)), seed=_seeds(seed, number)
            )
            records = tf.data.Dataset.from_tensor_slices(order).interleave(
                one_file, _FILES, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
            )
            return records.shuffle(
                min(_BUFFER, len(self)),
                seed=seed * _PASSES + number,
                reshuffle_each_iteration=False,
            )

        passes, done = divmod(start, len(self))
        records = tf.data.Dataset.range(passes, _PASSES).flat_map(one_pass).skip(done)
        return records.enumerate(start)

    def _parser(
        self, input_spec: InputSpec, crop: float, seed: int
    ) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        def parse(place: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            encoded, label = self.parse(record)
            source, target = (
                _random_boxes(encoded, input_spec, crop, _seeds(seed, place))
                if crop
                else _placement(encoded, input_spec)
            )
            return _decode(encoded, source, target, input_spec), label

        return parse


def _seeds(seed: int, number: tf.Tensor) -> tf.Tensor:
    return tf.stack([tf.constant(seed, tf.int64), number])


def _shape(encoded: tf.Tensor) -> tf.Tensor:
    """Return int32 (height, width, channels) of an encoded image."""
    return tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.extract_jpeg_shape(encoded),
        lambda: tf.shape(tf.io.decode_png(encoded, 3)),
    )


def _random_boxes(
    encoded: tf.Tensor, input_spec: InputSpec, crop: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a random box as `Augmentation.crop` describes, and the box of the whole input."""
    aspect = input_spec.width / input_spec.height
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        _shape(encoded),
        tf.zeros((1, 0, 4)),
        seed,
        min_object_covered=0.0,
        aspect_ratio_range=(aspect / CROP_ASPECT, aspect * CROP_ASPECT),
        area_range=(crop, 1.0),
        use_image_if_no_bounding_boxes=True,
    )
    (top, left, _), (height, width, _) = tf.unstack(begin), tf.unstack(size)
    whole = tf.constant([0, 0, input_spec.width, input_spec.height])
    return tf.stack([left, top, left + width, top + height]), whole


def _placement(encoded: tf.Tensor, input_spec: InputSpec) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the source and the target box of `InputSpec.placement`."""

    def place(shape: np.ndarray) -> np.ndarray:
        placement = input_spec.placement(int(shape[1]), int(shape[0]))
        return np.array([placement.source, placement.target], np.int32)

    boxes = tf.ensure_shape(tf.numpy_function(place, [_shape(encoded)], tf.int32), (2, 4))
    return boxes[0], boxes[1]


def _decode(
    encoded: tf.Tensor, source: tf.Tensor, target: tf.Tensor, input_spec: InputSpec
) -> tf.Tensor:
    """Return the source box, resized to the target box, as uint8 (height, width, channels)."""
    left, top, right, bottom = tf.unstack(source)
    window = tf.stack([top, left, bottom - top, right - left])
    pixels = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_and_crop_jpeg(encoded, window, 3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.image.crop_to_bounding_box(tf.io.decode_png(encoded, 3), *tf.unstack(window)),
    )
    left, top, right, bottom = tf.unstack(target)
    size = tf.stack([bottom - top, right - left])
    pixels = _RESIZES[input_spec.resize](pixels[tf.newaxis], size)[0]
    pixels = tf.cast(pixels, tf.float32)  # `nearest` returns integers
    if input_spec.channels == 1:
        pixels = tf.image.rgb_to_grayscale(pixels)
    pixels = tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)
    if input_spec.fit == "pad":
        below, beside = input_spec.height - bottom, input_spec.width - right
        pixels = tf.pad(
            pixels,
            [[top, below], [left, beside], [0, 0]],
            constant_values=padding_value(input_spec),
        )
    return tf.ensure_shape(pixels, input_spec.shape)
