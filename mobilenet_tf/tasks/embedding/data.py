"""Pictures for embeddings: some classes are trained, and the others are kept for testing.

Validation has other pictures of the trained classes. The loss with class centres exists for these
only, and classes are often too few to keep some of them for validation as well.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.load import require_name
from mobilenet_tf.datasets.splitting import Listing

_SHARE = 0.3  # of the classes, where none are named
_LEAST = 2  # classes that are trained, and that are held out: fewer have no strangers


def number_held_out(classes: int, named: Sequence[str]) -> int:
    """Return how many of all classes are held out: those that are named, or three in ten.

    Raises:
        UserError: Fewer than 2 would be held out or trained.
    """
    count = len(named) or max(_LEAST, round(_SHARE * classes))
    if count < _LEAST or classes - count < _LEAST:
        raise UserError(
            f"{count} of {classes} classes would be held out; at least {_LEAST} must be, and at "
            f"least {_LEAST} must be trained."
        )
    return count


def hold_out(listing: Listing, named: Sequence[str], seed: int) -> Listing:
    """Return a listing with the classes that are held out behind the others.

    Args:
        listing: Images of all classes.
        named: Names of the classes that are held out; empty to let the seed choose.
        seed: Another seed chooses other classes.

    Raises:
        UserError: A name is not one of the classes, or see `number_held_out`.
    """
    classes = listing.classes
    names = {same_name(name) for name in named}
    for name in named:
        if same_name(name) not in map(same_name, classes):
            raise UserError(
                f"held_out is {name!r}; the classes of the data are {', '.join(classes)}."
            )
    count = number_held_out(len(classes), tuple(names))
    ranked = sorted(map(same_name, classes), key=lambda name: _rank(name, seed))
    chosen = names or set(ranked[:count])
    order = sorted(range(len(classes)), key=lambda label: same_name(classes[label]) in chosen)
    place = np.argsort(order)
    return replace(
        listing,
        classes=tuple(classes[label] for label in order),
        labels=place[np.asarray(listing.labels)].tolist(),
        held_out=frozenset(range(len(classes) - count, len(classes))),
    )


def load_embedding(
    source: str,
    held_out: Sequence[str],
    input_spec: InputSpec,
    seed: int,
    progress: Progress | None,
    judge_depth: bool,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load images of which some classes are held out for testing; see `hold_out`.

    Training and validation have the trained classes only, the test split the others only. The
    arguments and errors are those of `datasets.load.load_data` besides.
    """
    # Readers of sources are imported when they are used: not every command reads data.
    if source == "digits":
        from mobilenet_tf.datasets.sources.decoded import from_images
        from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images

        listing, greys = bundled_digits()
        return from_images(
            source,
            hold_out(listing, held_out, seed),
            digit_images(greys),
            input_spec,
            seed=seed,
            progress=progress,
        )
    from mobilenet_tf.datasets.labelled import read_dataset
    from mobilenet_tf.datasets.sources.folder import list_folder

    labelled = list_folder(_folder(source))
    labelled = replace(labelled, listing=hold_out(labelled.listing, held_out, seed))
    return read_dataset(labelled, input_spec, seed, progress, judge_depth, arrangement)


def load_unseen(
    source: str, held_out: Sequence[str], input_spec: InputSpec, progress: Progress | None
) -> TestImages:
    """Load all images of those classes of a folder that were held out, or of all its classes.

    Args:
        source: The folder.
        held_out: Classes that were held out in training; a folder without them has other classes.
        input_spec: Input of the model.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such folder, or it has fewer than 2 classes.
    """
    from mobilenet_tf.datasets.labelled import read_test
    from mobilenet_tf.datasets.sources.folder import list_folder

    labelled = list_folder(_folder(source))
    listing, names = labelled.listing, {same_name(name) for name in held_out}
    kept = [label for label, name in enumerate(listing.classes) if same_name(name) in names]
    kept = kept or list(range(len(listing.classes)))
    few = listing.subset(np.flatnonzero(np.isin(listing.labels, kept)))
    listing = replace(
        few,
        classes=tuple(listing.classes[label] for label in kept),
        labels=[kept.index(label) for label in few.labels],
        splits=None,
    )
    found = read_test(replace(labelled, listing=listing), input_spec, progress=progress)
    return found._replace(classes=listing.classes)


def _folder(source: str) -> str:
    require_name(source)
    if source.startswith("tfds:"):
        raise UserError(
            f"The data is {source!r}; embeddings are trained on `digits` or on a folder with a "
            "folder of images per class."
        )
    return source


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()
