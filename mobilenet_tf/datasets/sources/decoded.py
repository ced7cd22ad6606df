"""Build a dataset from images that a library has decoded."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress, Split, stored_input
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.datasets.plain import hardly_varies, notes_on_plain
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import allocate


def from_images(
    source: str,
    listing: Listing,
    images: Iterable[Image.Image],
    input_spec: InputSpec,
    *,
    seed: int,
    progress: Progress | None,
) -> Dataset:
    """Prepare images one after another and assign them to splits.

    Args:
        source: Source as the user named it.
        listing: Names, labels and splits of the images.
        images: Images of mode RGB, in the order of the listing.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: See `assign_splits` and `allocate`.
    """
    chosen = assign_splits(listing, seed)
    stored = {name: stored_input(name, input_spec) for name in SPLITS}
    pixels = {name: allocate((len(chosen[name]), *stored[name].shape)) for name in SPLITS}
    plain: list[str] = []
    place = {index: (name, row) for name in SPLITS for row, index in enumerate(chosen[name])}
    for index, image in enumerate(images):
        name, row = place[index]
        pixels[name][row] = prepare(image, stored[name])
        if hardly_varies(pixels[name][row]):
            plain.append(listing.names[index])
        if progress:
            progress(index + 1, len(listing))
    splits = {
        name: Split(
            pixels[name],
            np.asarray(listing.labels, np.int64)[chosen[name]],
            [listing.names[index] for index in chosen[name]],
        )
        for name in SPLITS
    }
    return Dataset(
        source,
        listing.classes,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        notes=notes_on_plain(plain),
    )
