"""Build a dataset from images that a library has decoded."""

from collections.abc import Iterable

from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress, stored_input
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.datasets.labelled import repaired
from mobilenet_tf.datasets.placed import Place, as_listed
from mobilenet_tf.datasets.plain import hardly_varies, notes_on_plain
from mobilenet_tf.datasets.splitting import Listing, assign_splits
from mobilenet_tf.datasets.storage import Rows


def from_images(
    source: str,
    listing: Listing,
    images: Iterable[Image.Image],
    input_spec: InputSpec,
    *,
    seed: int,
    progress: Progress | None,
    place: Place = as_listed,
) -> Dataset:
    """Prepare images one after another and assign them to splits.

    Args:
        source: Source as the user named it.
        listing: Names, labels and splits of the images.
        images: Images of mode RGB, in the order of the listing.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        place: As in `Labelled`.

    Raises:
        UserError: See `assign_splits`, `allocate` and `place`.
    """
    chosen = assign_splits(listing, seed)
    stored = {name: stored_input(name, input_spec) for name in SPLITS}
    rows = {name: Rows(len(chosen[name]), stored[name]) for name in SPLITS}
    plain: list[str] = []
    repairs: list[dict[str, str]] = []
    where = {index: (name, row) for name in SPLITS for row, index in enumerate(chosen[name])}
    for index, image in enumerate(images):
        split, row = where[index]
        pixels = prepare(image, stored[split])
        placed = place(listing.labels[index], stored[split].framing(image.size))
        rows[split].put(row, pixels, placed.label)
        repairs += repaired(listing.names[index], placed)
        if hardly_varies(pixels):
            plain.append(listing.names[index])
        if progress:
            progress(index + 1, len(listing))
    splits = {
        name: rows[name].split([listing.names[index] for index in chosen[name]]) for name in SPLITS
    }
    return Dataset(
        source,
        listing.classes,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        repaired=repairs,
        notes=notes_on_plain(plain),
    )
