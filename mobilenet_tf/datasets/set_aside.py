"""Training images that are kept aside, to compare networks on images that none of them learns."""

from dataclasses import replace

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split, TrainingImages, balanced
from mobilenet_tf.datasets.stream import Stream


def set_aside(
    images: TrainingImages, share: float, seed: int, input_spec: InputSpec
) -> tuple[TrainingImages, Split]:
    """Split training images into those that are learned, and those that are kept aside.

    Args:
        images: The training images.
        share: Share that is kept aside, above 0 and below 1; at least one image.
        seed: Decides which ones of images in memory, balanced over the classes. Of a stream, they
            are the last ones of each file.
        input_spec: The network's input, at which the images of a stream are stored.
    """
    if isinstance(images, Stream):
        return _parts_of_files(images, share, seed, input_spec)
    assert isinstance(images, Split)
    count = max(1, round(share * len(images)))
    held = np.zeros(len(images), bool)
    held[balanced(images.labels, count, seed)] = True
    return _rows(images, np.flatnonzero(~held)), _rows(images, np.flatnonzero(held))


def _rows(images: Split, rows: np.ndarray) -> Split:
    names = [images.names[row] for row in rows]
    return Split(images.images[rows], images.labels[rows], names)


def _parts_of_files(
    images: Stream, share: float, seed: int, input_spec: InputSpec
) -> tuple[Stream, Split]:
    counts = [max(1, round(share * part.take)) for part in images.records]
    parts = list(zip(images.records, counts, strict=True))
    rest = [replace(part, take=part.take - count) for part, count in parts]
    held = [replace(part, skip=part.skip + part.take - count, take=count) for part, count in parts]
    aside = Stream(tuple(held), images.parse)
    return Stream(tuple(rest), images.parse), aside.sample(len(aside), seed, input_spec)
