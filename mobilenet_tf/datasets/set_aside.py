"""Training images set aside, to compare networks on images that none of them is trained on."""

from dataclasses import replace
from math import prod

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split, TrainingImages, balanced
from mobilenet_tf.datasets.stream import Stream

_MOST_BYTES = 2**30  # of a stream's images that are set aside, which are kept in memory


def set_aside(
    images: TrainingImages, share: float, seed: int, input_spec: InputSpec
) -> tuple[TrainingImages, Split]:
    """Split training images into those to train on, and those that are set aside.

    Args:
        images: The training images.
        share: Share to set aside, above 0 and below 1; at least one image, and not all of them.
        seed: Decides which images in memory are set aside, balanced over the classes. Of a
            stream, these are the last ones of each file; of more than fit into 1 GiB, a sample.
        input_spec: The network's input, at which the images of a stream are stored.
    """
    if isinstance(images, Stream):
        return _parts_of_files(images, share, seed, input_spec)
    assert isinstance(images, Split)
    count = max(1, min(round(share * len(images)), len(images) - 1))
    held = np.zeros(len(images), bool)
    held[balanced(images.labels, count, seed)] = True
    return images.subset(np.flatnonzero(~held)), images.subset(np.flatnonzero(held))


def _parts_of_files(
    images: Stream, share: float, seed: int, input_spec: InputSpec
) -> tuple[Stream, Split]:
    counts = [min(part.take, max(1, round(share * part.take))) for part in images.records]
    parts = list(zip(images.records, counts, strict=True))
    rest = [replace(part, take=part.take - count) for part, count in parts]
    held = [replace(part, skip=part.skip + part.take - count, take=count) for part, count in parts]
    aside = Stream(tuple(held), images.parse)
    most = min(len(aside), max(1, _MOST_BYTES // prod(input_spec.shape)))
    return Stream(tuple(rest), images.parse), aside.sample(most, seed, input_spec)
