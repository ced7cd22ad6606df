"""Training pictures that are too many to keep: decoded and cropped as they are needed.

As with pictures in memory, batch k is a function of (seed, k) alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import CROP_ASPECT
from mobilenet_tf.datasets.dataset import Split

# Files that are read in turn, and pictures, still compressed, that are shuffled: about 1 GB of
# ImageNet. Files are shuffled as a whole besides.
_FILES, _BUFFER = 16, 8192
# Most passes a run can have; steps end it.
_PASSES = 1_000_000


@dataclass(frozen=True)
class Records:
    """A part of a TFRecord file: `take` records after the first `skip`."""

    path: str
    skip: int
    take: int


@dataclass(frozen=True, eq=False)
class Stream:
    """What `Split` is, for pictures in TFRecords.

    Attributes:
        records: where they are.
        parse: a record -> an encoded JPEG or PNG, and its label (int64).
    """

    records: tuple[Records, ...]
    parse: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

    def __len__(self) -> int:
        return sum(part.take for part in self.records)

    @property
    def labels(self) -> np.ndarray:
        """Not known without reading everything.

        Raises:
            UserError: always.
        """
        raise UserError(
            "These pictures are read as they are needed, so their labels are not known before; "
            "class_weights must be false."
        )

    def feed(self, digest, part: str) -> None:
        """Give a hash what tells these pictures, of a part, from others, short of reading them."""
        sizes = [tf.io.gfile.stat(file.path).length for file in self.records]
        names = [(file.path.rpartition("/")[2], file.skip, file.take) for file in self.records]
        digest.update(repr((part, names, sizes)).encode())

    def sample(self, count: int, seed: int, spec: InputSpec) -> Split:
        """`count` of the pictures of a first pass, unchanged, at `spec.side`."""
        few = self._pictures(seed, 0).take(count).map(self._parser(spec, spec.side, 0.0, seed))
        pictures, labels = zip(*few.as_numpy_iterator(), strict=True)
        return Split(np.stack(pictures), np.array(labels), [""] * len(labels))

    def batches(
        self, spec: InputSpec, side: int, crop: float, seed: int, batch: int, first: int, cut: slice
    ) -> tf.data.Dataset:
        """Batches from number `first` on, without end.

        Args:
            spec: gives channels and, where nothing is cropped at random, the centre's crop.
            side: of the pictures.
            crop: an `Augmentation`'s.
            seed: of order and crops.
            batch: pictures per step.
            first: steps that are done already.
            cut: the part of each batch that is wanted, `cut.step` pictures at a time.

        Returns:
            Pairs of uint8 (n, side, side, channels) and int64 (n,).
        """
        return (
            self._pictures(seed, first * batch)
            .filter(lambda place, _: (cut.start <= place % batch) & (place % batch < cut.stop))
            .map(
                self._parser(spec, side, crop, seed),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
            .batch(cut.step, drop_remainder=True)
        )

    def _pictures(self, seed: int, start: int) -> tf.data.Dataset:
        """(place, record) of one endless row of passes, each in its own order, from `start` on."""
        paths = tf.constant([part.path for part in self.records])
        skips, takes = (
            tf.constant([getattr(part, name) for part in self.records], tf.int64)
            for name in ("skip", "take")
        )

        def one_file(index):
            return tf.data.TFRecordDataset(paths[index]).skip(skips[index]).take(takes[index])

        def one_pass(number):
            # Of this function's graph alone: TensorFlow cannot pair a global seed of 0, which is
            # a run's default, with a seed that is a tensor.
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

    def _parser(self, spec: InputSpec, side: int, crop: float, seed: int):
        def parse(place, record):
            encoded, label = self.parse(record)
            window = (
                _random_window(encoded, crop, _seeds(seed, place))
                if crop
                else _centre_window(encoded, spec.crop)
            )
            return _picture(encoded, window, side, spec.channels), label

        return parse


def _seeds(seed: int, number: tf.Tensor) -> tf.Tensor:
    return tf.stack([tf.constant(seed, tf.int64), number])


def _shape(encoded: tf.Tensor) -> tf.Tensor:
    """int32 (height, width, channels)."""
    return tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.extract_jpeg_shape(encoded),
        lambda: tf.shape(tf.io.decode_png(encoded, 3)),
    )


def _random_window(encoded: tf.Tensor, crop: float, seed) -> tf.Tensor:
    """int32 (top, left, height, width) of a rectangle as `Augmentation.crop` describes."""
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        _shape(encoded),
        tf.zeros((1, 0, 4)),
        seed,
        min_object_covered=0.0,
        aspect_ratio_range=(1 / CROP_ASPECT, CROP_ASPECT),
        area_range=(crop, 1.0),
        use_image_if_no_bounding_boxes=True,
    )
    return tf.concat([begin[:2], size[:2]], 0)


def _centre_window(encoded: tf.Tensor, crop: float) -> tf.Tensor:
    """The same for `centre_square`."""
    shape = _shape(encoded)[:2]
    shorter = tf.cast(tf.reduce_min(shape), tf.float64)
    side = tf.maximum(1, tf.cast(tf.floor(crop * shorter + 0.5), tf.int32))
    return tf.concat([(shape - side) // 2, [side, side]], 0)


def _picture(encoded: tf.Tensor, window: tf.Tensor, side: int, channels: int) -> tf.Tensor:
    """uint8 (side, side, channels): the window, scaled as `prepare` does."""
    pixels = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_and_crop_jpeg(encoded, window, 3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.image.crop_to_bounding_box(tf.io.decode_png(encoded, 3), *tf.unstack(window)),
    )
    pixels = tf.image.resize(pixels, (side, side), antialias=True)
    if channels == 1:
        pixels = tf.image.rgb_to_grayscale(pixels)
    return tf.cast(tf.round(tf.clip_by_value(pixels, 0.0, 255.0)), tf.uint8)
