"""`tfds:NAME`: public data sets, downloaded by tensorflow-datasets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import (
    HELD_OUT,
    MEMORY_LIMIT,
    PARTS,
    Dataset,
    Progress,
    Split,
    allocate,
    from_images,
    train_side,
)
from mobilenet_tf.datasets.images import prepare

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.datasets.stream import Stream

# Most pictures of a large data set that are held out for validation, and for test.
_HELD_OUT = 10_000


def load_tfds(
    name: str, spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """A classification data set of tensorflow-datasets, downloaded once.

    Its splits train, validation and test are used, unless they have no labels; those it lacks
    are taken from train. Training pictures that would need more than `MEMORY_LIMIT` stay in
    their files, see `Stream`.

    Raises:
        UserError: the library is not installed, it cannot prepare that data set, or the data
            set is not one of pictures with one label each.
    """
    builder, picture, label = _open(name, prepare=True)
    import tensorflow_datasets as tfds

    splits = _splits(builder, label)
    if "train" not in splits:
        raise UserError(f"tfds:{name} has no split `train` with labels; choose another data set.")
    source = _Source(f"tfds:{name}", builder, picture, label)
    kept = builder.info.splits["train"].num_examples * train_side(spec.side) ** 2 * spec.channels
    if kept > MEMORY_LIMIT and builder.info.file_format is tfds.core.FileFormat.TFRECORD:
        return _streamed(source, splits, spec, progress)
    labels = {part: source.labels(split) for part, split in splits.items()}
    return from_images(
        source=source.name,
        classes=source.classes,
        images=(image for split in splits.values() for image in source.images(split)),
        names=[name for split in splits.values() for name in source.names(split)],
        labels=[one for found in labels.values() for one in found],
        parts=[part for part, found in labels.items() for _ in found],
        spec=spec,
        seed=seed,
        progress=progress,
    )


def tfds_classes(name: str) -> tuple[str, ...]:
    """Return the names of a dataset's classes without downloading it.

    Raises:
        UserError: See `load_tfds`.
    """
    builder, _, label = _open(name, prepare=False)
    return tuple(builder.info.features[label].names)


def _open(name: str, prepare: bool) -> tuple[Any, str, str]:
    """Return the builder, downloaded if `prepare`, and the features of picture and label."""
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(
            f"tfds:{name} needs tensorflow-datasets: pip install mobilenet_tf[tfds]"
        ) from error
    try:
        builder = tfds.builder(name)
        picture, label = _keys(builder.info, name)
        if prepare:
            builder.download_and_prepare()
    except UserError:
        raise
    # An unknown name, no network, a full disk, a download by hand: each raises its own.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"tfds:{name} cannot be prepared: {lines[0]}") from error
    return builder, picture, label


@dataclass(frozen=True)
class _Source:
    """A prepared data set.

    Attributes:
        name: what the user named.
        builder: tensorflow-datasets' own.
        picture, label: the features that are used.
    """

    name: str
    builder: Any
    picture: str
    label: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.builder.info.features[self.label].names)

    def _examples(self, split: str, decode: bool) -> Iterator[dict]:
        import tensorflow_datasets as tfds

        decoders = None if decode else {self.picture: tfds.decode.SkipDecoding()}
        return tfds.as_numpy(
            self.builder.as_dataset(split=split, shuffle_files=False, decoders=decoders)
        )

    def labels(self, split: str) -> list[int]:
        return [int(example[self.label]) for example in self._examples(split, decode=False)]

    def images(self, split: str) -> Iterator[Image.Image]:
        return (_image(example[self.picture]) for example in self._examples(split, decode=True))

    def names(self, split: str) -> list[str]:
        count = self.builder.info.splits[split].num_examples
        return [f"{split}/{index:07d}" for index in range(count)]


def _splits(builder, label: str) -> dict[str, str]:
    """Part -> the split of the data set that is it.

    Where the test split is missing, or has no labels as that of imagenet2012, the validation
    split is what everybody reports, so it is the test pictures, and not for choices.
    """
    splits = {}
    for part in PARTS:
        if part in builder.info.splits:
            first = next(iter(builder.as_dataset(split=part, shuffle_files=False)), None)
            if first is not None and int(first[label]) >= 0:
                splits[part] = part
    if "test" not in splits and "validation" in splits:
        splits["test"] = splits.pop("validation")
    return splits


def _streamed(
    source: _Source, splits: dict[str, str], spec: InputSpec, progress: Progress | None
) -> Dataset:
    """Training pictures that stay in their files; the others in memory.

    What is missing of validation and test is held out at the beginning of train, whose order
    tensorflow-datasets has shuffled.
    """
    total = source.builder.info.splits["train"].num_examples
    share, start = min(int(HELD_OUT * total), _HELD_OUT), 0
    for part in PARTS[1:]:
        if part not in splits:
            splits[part] = f"train[{start}:{start + share}]"
            start += share
    counts = {part: source.builder.info.splits[splits[part]].num_examples for part in PARTS[1:]}
    done = 0
    kept = {}
    for part, count in counts.items():
        pictures = allocate((count, spec.side, spec.side, spec.channels))
        for row, image in enumerate(source.images(splits[part])):
            pictures[row] = prepare(image, spec.side, spec.channels, spec.crop)
            done += 1
            if progress:
                progress(done, sum(counts.values()))
        labels = np.array(source.labels(splits[part]), np.int64)
        kept[part] = Split(pictures, labels, source.names(splits[part]))
    return Dataset(source.name, source.classes, _stream(source, f"train[{start}:]"), **kept)


def _stream(source: _Source, split: str) -> Stream:
    import tensorflow_datasets as tfds

    from mobilenet_tf.datasets.stream import Records, Stream

    features, picture, label = source.builder.info.features, source.picture, source.label
    skip = {picture: tfds.decode.SkipDecoding()}

    def parse(record):
        example = features.deserialize_example(record, decoders=skip)
        return example[picture], example[label]

    files = source.builder.info.splits[split].file_instructions
    return Stream(tuple(Records(str(file.filename), file.skip, file.take) for file in files), parse)


def _keys(info, name: str) -> tuple[str, str]:
    """The features that hold the picture and the label."""
    keys, features = info.supervised_keys or (), info.features
    if len(keys) == 2 and all(isinstance(key, str) and key in features for key in keys):
        picture, label = keys
        pictures = len(features[picture].shape) == 3 and features[picture].np_dtype == np.uint8
        if pictures and hasattr(features[label], "names"):
            return keys
    raise UserError(
        f"tfds:{name} is not a set of 8-bit pictures with one label each; choose another."
    )


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
