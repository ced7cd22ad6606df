"""Pictures without labels: enough to calibrate a trained network, and to compare its file with it.

A split of such pictures has labels of the shape (N, 0).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress, Split
from mobilenet_tf.datasets.labelled import Labelled, read_dataset
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.sources.folder import list_folder
from mobilenet_tf.datasets.sources.listing import check_folder
from mobilenet_tf.datasets.sources.walk import files_below, folders_named
from mobilenet_tf.datasets.splitting import Listing

_NO_LABEL = np.empty(0, np.int64)


def load_pictures(
    source: str, input_spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Load the pictures of a source without their labels.

    The splits of the source are kept. Without any, 15 % of all pictures are for tests.

    Args:
        source: As for `load_data`, or any other folder with pictures in it or below it.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such source, or it has fewer than three readable pictures.
    """
    if not Path(source).is_dir():
        return _without_labels(load_data(source, input_spec, seed, progress))
    try:
        labelled = list_folder(source)
    except UserError:  # no folder per class, or not one way to read them
        labelled = _list_pictures(source)
    names, splits = labelled.listing.names, labelled.listing.splits
    listing = Listing((), names, [_NO_LABEL] * len(names), splits, stratified=False)
    return read_dataset(replace(labelled, listing=listing), input_spec, seed, progress)


def _list_pictures(source: str) -> Labelled:
    """List all files below a folder."""
    root = check_folder(source)
    left_out: list[dict[str, str]] = []

    def note(path: Path, reason: str) -> None:
        left_out.append({"file": f"{path.relative_to(root).as_posix()}/", "reason": reason})

    with folders_named():
        files = files_below(root, [], note)
    names = [file.relative_to(root).as_posix() for file in files]
    return Labelled(
        source=source, root=root, listing=Listing((), names, [], None), skipped=left_out
    )


def _without_labels(data: Dataset) -> Dataset:
    splits: dict[str, Any] = {
        name: replace(split, labels=np.empty((len(split), 0), np.int64))
        for name in SPLITS
        if isinstance(split := getattr(data, name), Split)  # a stream has no labels yet
    }
    return replace(data, classes=(), **splits)
