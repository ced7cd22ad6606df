"""`tfds:NAME`: public datasets that tensorflow-datasets downloads.

Images that fit into memory are decoded as those of folders are. The library decodes those of a
streamed dataset, and ignores their EXIF orientation; `prepare` follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.packages import require
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress, Split, with_margin
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.datasets.labelled import Labelled, read_dataset
from mobilenet_tf.datasets.plain import notes_on_plain
from mobilenet_tf.datasets.splitting import HELD_OUT, Listing
from mobilenet_tf.datasets.storage import MEMORY_LIMIT, allocate
from mobilenet_tf.datasets.stream_check import Records, StreamCheck

if TYPE_CHECKING:  # stream.py imports TensorFlow
    from mobilenet_tf.datasets.stream import Stream

# Largest number of images of a streamed dataset that are held out for validation, and for test.
_MOST_HELD_OUT = 10_000


def load_tfds(
    name: str, input_spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Load a classification dataset of tensorflow-datasets, which downloads it once.

    Its splits train, validation and test are used if they have labels; missing splits are taken
    from train. If the training images would need more than `MEMORY_LIMIT` bytes, they stay in
    their files, see `Stream`.

    Args:
        name: Name of the dataset in tensorflow-datasets.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: The library is not installed, it cannot prepare the dataset, or the dataset does
            not consist of images with one label each.
    """
    builder, image_key, label_key = _open(name, download=True)
    import tensorflow_datasets as tfds

    source = _Source(f"tfds:{name}", builder, image_key, label_key)
    splits = source.splits()
    if "train" not in splits:
        raise UserError(f"tfds:{name} has no split `train` with labels; choose another dataset.")
    needed = builder.info.splits["train"].num_examples * prod(with_margin(input_spec).shape)
    if needed > MEMORY_LIMIT and builder.info.file_format is tfds.core.FileFormat.TFRECORD:
        return _streamed(source, splits, input_spec, progress)
    return _in_memory(source, splits, input_spec, seed, progress)


def tfds_classes(name: str) -> tuple[str, ...]:
    """Return the names of a dataset's classes without downloading it.

    Raises:
        UserError: See `load_tfds`.
    """
    builder, _, label_key = _open(name, download=False)
    return tuple(builder.info.features[label_key].names)


def _open(name: str, download: bool) -> tuple[Any, str, str]:
    """Return the builder of a dataset and the names of its image and label features."""
    require(f"tfds:{name}", "tensorflow-datasets", "tensorflow")
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
        image_key, label_key = _keys(builder.info, name)
        if download:
            builder.download_and_prepare()
    except UserError:
        raise
    # An unknown name, no network, a full disk, a manual download: each has its own exception.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"tfds:{name} cannot be prepared: {lines[0]}") from error
    return builder, image_key, label_key


@dataclass(frozen=True)
class _Source:
    """A prepared dataset of tensorflow-datasets.

    Attributes:
        name: Source as the user named it.
        builder: Builder of tensorflow-datasets.
        image_key: Name of the feature that holds the image.
        label_key: Name of the feature that holds the label.
    """

    name: str
    builder: Any
    image_key: str
    label_key: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.builder.info.features[self.label_key].names)

    def splits(self) -> dict[str, str]:
        """Return the dataset's own name of each of our splits that it has.

        A test split that is missing, or has no labels as that of imagenet2012, is replaced by the
        validation split: published accuracies refer to it, so it must not be used for choices.
        """
        found = {}
        for split in SPLITS:
            if split in self.builder.info.splits:
                examples = self.builder.as_dataset(split=split, shuffle_files=False)
                first = next(iter(examples), None)
                if first is not None and int(first[self.label_key]) >= 0:
                    found[split] = split
        if "test" not in found and "validation" in found:
            found["test"] = found.pop("validation")
        return found

    def _examples(self, split: str, decode: bool) -> Iterator[dict]:
        import tensorflow_datasets as tfds

        decoders = None if decode else {self.image_key: tfds.decode.SkipDecoding()}
        return tfds.as_numpy(
            self.builder.as_dataset(split=split, shuffle_files=False, decoders=decoders)
        )

    def labels(self, split: str) -> list[int]:
        return [int(example[self.label_key]) for example in self._examples(split, decode=False)]

    def encoded(self, split: str) -> Iterator[tuple[bytes, int]]:
        """Yield each image as it is stored, and its label."""
        for example in self._examples(split, decode=False):
            yield example[self.image_key], int(example[self.label_key])

    def images(self, split: str) -> Iterator[Image.Image]:
        return (_image(example[self.image_key]) for example in self._examples(split, decode=True))

    def records(self, split: str) -> tuple[Records, ...]:
        files = self.builder.info.splits[split].file_instructions
        return tuple(Records(str(file.filename), file.skip, file.take) for file in files)

    def names(self, split: str) -> list[str]:
        count = self.builder.info.splits[split].num_examples
        return [f"{split}/{index:07d}" for index in range(count)]


def _in_memory(
    source: _Source,
    splits: dict[str, str],
    input_spec: InputSpec,
    seed: int,
    progress: Progress | None,
) -> Dataset:
    """Load all images into memory, by the guarded processes that decode the files of a folder."""
    names: list[str] = []
    labels: list[int] = []
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for theirs in splits.values():
            (root / theirs).mkdir()
            for name, (encoded, label) in zip(
                source.names(theirs), source.encoded(theirs), strict=True
            ):
                (root / name).write_bytes(encoded)
                names.append(name)
                labels.append(label)
        ours = {theirs: split for split, theirs in splits.items()}
        listing = Listing(
            source.classes, names, labels, [ours[name.partition("/")[0]] for name in names]
        )
        labelled = Labelled(source=source.name, root=root, listing=listing)
        return read_dataset(labelled, input_spec, seed, progress)


def _streamed(
    source: _Source, splits: dict[str, str], input_spec: InputSpec, progress: Progress | None
) -> Dataset:
    """Load validation and test images into memory; leave the training images in their files.

    A missing validation or test split is held out at the beginning of train, whose order
    tensorflow-datasets has shuffled. All of the images are checked before they are decoded here.
    """
    records = [part for split in splits.values() for part in source.records(split)]
    with closing(StreamCheck(source.image_key)) as check:
        plain = check.check(records, progress)
    total = source.builder.info.splits["train"].num_examples
    share, start = min(int(HELD_OUT * total), _MOST_HELD_OUT), 0
    for split in SPLITS[1:]:
        if split not in splits:
            splits[split] = f"train[{start}:{start + share}]"
            start += share
    counts = {split: source.builder.info.splits[splits[split]].num_examples for split in SPLITS[1:]}
    done, loaded = 0, {}
    for split, count in counts.items():
        images = allocate((count, *input_spec.shape))
        for row, image in enumerate(source.images(splits[split])):
            images[row] = prepare(image, input_spec)
            done += 1
            if progress:
                progress(done, sum(counts.values()))
        labels = np.array(source.labels(splits[split]), np.int64)
        loaded[split] = Split(images, labels, source.names(splits[split]))
    return Dataset(
        source.name,
        source.classes,
        train=_stream(source, f"train[{start}:]"),
        validation=loaded["validation"],
        test=loaded["test"],
        notes=notes_on_plain(plain),
    )


def _stream(source: _Source, split: str) -> Stream:
    import tensorflow_datasets as tfds

    from mobilenet_tf.datasets.stream import Stream

    features = source.builder.info.features
    skip = {source.image_key: tfds.decode.SkipDecoding()}

    def parse(record):
        example = features.deserialize_example(record, decoders=skip)
        return example[source.image_key], example[source.label_key]

    return Stream(source.records(split), parse)


def _keys(info: Any, name: str) -> tuple[str, str]:
    """Return the names of the features that hold the image and the label."""
    keys, features = info.supervised_keys, info.features
    if keys and len(keys) == 2 and all(isinstance(key, str) and key in features for key in keys):
        image, label = keys
        is_image = len(features[image].shape) == 3 and features[image].np_dtype == np.uint8
        if is_image and hasattr(features[label], "names"):
            return image, label
    raise UserError(
        f"tfds:{name} does not consist of 8-bit images with one label each; choose another dataset."
    )


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
