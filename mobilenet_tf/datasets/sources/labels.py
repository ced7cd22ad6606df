"""Pictures with several labels each, as datasets."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.labels import same_name
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages, TrainingImages
from mobilenet_tf.datasets.labelled import Labelled, read_dataset, read_test
from mobilenet_tf.datasets.placed import Placed
from mobilenet_tf.datasets.sources.digits import load_digits
from mobilenet_tf.datasets.sources.label_files import (
    LABEL_COLUMNS,
    LabelFiles,
    folder_labels,
    table_labels,
)
from mobilenet_tf.datasets.sources.located import located
from mobilenet_tf.datasets.sources.table import is_table
from mobilenet_tf.datasets.sources.walk import folders_named
from mobilenet_tf.datasets.splitting import Listing, group_numbers

# What can be said of a digit, and of which.
PROPERTIES = {
    "above four": (5, 6, 7, 8, 9),
    "even": (0, 2, 4, 6, 8),
    "has a loop": (0, 6, 8, 9),
    "prime": (2, 3, 5, 7),
}


def load_labels(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load pictures with several labels each, and assign them to splits.

    Args:
        source: `digits` for scikit-learn's digits and their `PROPERTIES`; a table, see
            `table_labels`; or a folder, see `folder_labels`.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: As for `read_dataset`.
        arrangement: As for `read_dataset`.

    Raises:
        UserError: There is no such source, or it has fewer than two labels, or all training images
            have one of them or none has it.
    """
    if source == "digits":
        return _properties_of_digits(load_digits(input_spec, seed, progress))
    labelled = list_labels(source)
    data = read_dataset(labelled, input_spec, seed, progress, judge_depth, arrangement)
    return _checked(data)


def load_labels_test(
    source: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the test images of such a source for a model with these labels.

    Raises:
        UserError: There is no such source, or it has a label that the model has not.
    """
    if source == "digits":
        return load_labels(source, input_spec, seed, progress).tested_with(labels, "labels")
    files = _listed(source)
    known = set(map(same_name, labels))
    for name in files.classes:
        if name not in known:
            raise UserError(
                f"{source} has the label {name!r}, which is none of the model's: "
                f"{', '.join(labels)}."
            )
    return read_test(_labelled(source, files, labels), input_spec, seed, progress)


def list_labels(source: str) -> Labelled:
    """List the pictures of a source with their labels.

    Raises:
        UserError: There is no such source, or it has fewer than two labels.
    """
    files = _listed(source)
    return _labelled(source, files, files.classes)


def label_names(source: str) -> tuple[str, ...]:
    """Return the names of a source's labels without reading its pictures.

    Raises:
        UserError: There is no such source, or it has fewer than two labels.
    """
    return tuple(PROPERTIES) if source == "digits" else _listed(source).classes


def _listed(source: str) -> LabelFiles:
    path = located(source, LABEL_COLUMNS)
    with folders_named():
        files = table_labels(path) if is_table(path) else folder_labels(path)
    if len(files.classes) < 2:
        raise UserError(
            f"{source} has {len(files.classes)} label{'s' * (len(files.classes) != 1)}; at least 2 "
            "are needed."
        )
    return files


def _labelled(source: str, files: LabelFiles, classes: Sequence[str]) -> Labelled:
    places = {same_name(name): index for index, name in enumerate(classes)}
    names = sorted(files.labels)
    labels = np.zeros((len(names), len(classes)), np.uint8)
    for row, name in enumerate(names):
        labels[row, [places[label] for label in files.labels[name]]] = 1
    splits = [min(files.splits[name]) for name in names] if files.splits else None
    groups = group_numbers([files.groups.get(name, "") for name in names])
    listing = Listing(
        tuple(classes), names, list(labels), splits, stratified=False, together=groups
    )
    root, skipped = files.root, files.left_out
    return Labelled(source=source, root=root, listing=listing, place=_placed, skipped=skipped)


def _placed(labels: np.ndarray, framing: Framing) -> Placed:
    """Return labels of a whole picture."""
    return Placed(labels, classes=np.flatnonzero(labels).tolist())


def _checked(data: Dataset) -> Dataset:
    """Reject labels that cannot be learned; note those that cannot be measured."""
    count = len(data.train)
    for name, present in zip(data.classes, data.train.labels.sum(axis=0, dtype=int), strict=True):
        if present in (0, count):
            raise UserError(
                f"Label {name!r} is on {'all' if present else 'none'} of the {count} training "
                "images; images with it and without it are needed."
            )
    notes = [
        f"no {what} image has {', '.join(missing)}"
        for what, split in (("validation", data.validation), ("test", data.test))
        if (missing := [data.classes[row] for row in np.flatnonzero(~split.labels.any(axis=0))])
    ]
    return replace(data, notes=[*data.notes, *notes])


def _properties_of_digits(data: Dataset) -> Dataset:
    """Return the dataset of digits with their properties as labels."""
    table = np.array(
        [[digit in one for one in PROPERTIES.values()] for digit in range(10)], np.uint8
    )

    def renamed(split: TrainingImages) -> Split:
        assert isinstance(split, Split)
        return replace(split, labels=table[split.labels])

    return Dataset(
        data.source,
        tuple(PROPERTIES),
        train=renamed(data.train),
        validation=renamed(data.validation),
        test=renamed(data.test),
        notes=data.notes,
    )
