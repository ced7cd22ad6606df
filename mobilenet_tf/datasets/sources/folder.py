"""Images with a class each: a folder per class, below train/, val/ and test/ or not; or a table."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.labelled import Labelled, read_dataset, read_test
from mobilenet_tf.datasets.sources.class_table import list_labelled_table, list_table
from mobilenet_tf.datasets.sources.label_files import LABEL_COLUMNS
from mobilenet_tf.datasets.sources.listing import (
    LabelledFile,
    check_folder,
    list_dataset,
    list_labelled,
)
from mobilenet_tf.datasets.sources.located import located
from mobilenet_tf.datasets.sources.table import is_table
from mobilenet_tf.datasets.sources.walk import folders_named
from mobilenet_tf.datasets.splitting import Listing, group_numbers


def load_folder(
    source: str | Path,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load images from `source/CLASS/...` or `source/{train,val,test}/CLASS/...`, or from a table.

    Classes are sorted by name. Images may lie in folders below their class. Unreadable files are
    listed in `Dataset.skipped`. A missing validation or test split is taken from train.

    Args:
        source: Path of the folder or the table, see `located`.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: Whether the training images decide the white level of greys of more than 8
            bits, where `input_spec` has none.
        arrangement: As for `read_dataset`.

    Raises:
        UserError: There is no such folder, it has fewer than two classes, or a class has too few
            readable images.
    """
    return read_dataset(list_folder(source), input_spec, seed, progress, judge_depth, arrangement)


def list_folder(source: str | Path) -> Labelled:
    """List such a folder or table without reading an image.

    Raises:
        UserError: There is no such source, or it has fewer than two classes.
    """
    path = located(source, LABEL_COLUMNS)
    with folders_named():
        if is_table(path):
            root, (classes, files, skipped) = path.parent, list_table(path)
        else:
            root = check_folder(path)
            classes, files, skipped = list_dataset(root)
    listing = _listing(classes, files)
    return Labelled(source=str(source), root=root, listing=listing, skipped=skipped)


def folder_classes(source: str | Path) -> tuple[str, ...]:
    """Return the names of the classes without reading an image.

    Raises:
        UserError: There is no such folder, or it has fewer than two classes.
    """
    return list_folder(source).listing.classes


def load_labelled(
    source: str | Path,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the images of a folder or table on which a finished model is evaluated.

    Classes are matched with `labels` by name; the source may lack some of them. It is read as
    `load_folder` reads it: if it has splits, the images are those of its test split or, if it has
    none, those that training with this seed would hold out. If it has no splits, all of its images
    are loaded.

    Args:
        source: See `load_folder`.
        labels: Names of the model's classes; the images' labels are indices into them.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such folder, it has a class that is not among the labels, or it has
            no readable image.
    """
    path = located(source, LABEL_COLUMNS)
    with folders_named():
        if is_table(path):
            root, (files, left_out) = path.parent, list_labelled_table(path, labels)
        else:
            root = check_folder(path)
            files, left_out = list_labelled(root, labels)
    listing = _listing(labels, files)
    labelled = Labelled(source=str(source), root=root, listing=listing, skipped=left_out)
    return read_test(labelled, input_spec, seed, progress)


def _listing(classes: Sequence[str], files: Sequence[LabelledFile]) -> Listing:
    return Listing(
        classes=tuple(classes),
        names=[file.name for file in files],
        labels=[file.label for file in files],
        splits=[file.split for file in files],
        together=group_numbers([file.group for file in files]),
    )
