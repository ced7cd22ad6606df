"""Load a dataset from any source."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages


def source_name(source: str) -> str:
    """Return a short name of a source, for the names of folders."""
    if source.startswith("tfds:"):
        return source.removeprefix("tfds:")
    return Path(source).resolve().name


def is_bundled(source: str) -> bool:
    """Return whether a source is a library's, and no files of the user."""
    return source == "digits" or source.startswith("tfds:")


def load_test(
    source: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the images on which a finished model is evaluated.

    These are all images of a folder per class (if it has splits, those of its test split, or those
    that training would hold out), or the test split of `digits` and `tfds:NAME` under `seed`.

    Args:
        source: See `load_data`.
        labels: Names of the model's classes; the images' labels are indices into them.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such source, or its classes are not those of the model.
    """
    if is_bundled(source):
        return load_data(source, input_spec, seed, progress).tested_with(labels)
    from mobilenet_tf.datasets.sources.folder import load_labelled

    return load_labelled(source, labels, input_spec, seed, progress)


def load_data(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load the images of a source and assign them to splits.

    Args:
        source: `digits` (part of scikit-learn), `tfds:NAME`, or a folder with a folder of images
            per class.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: See `load_folder`.
        arrangement: As for `read_dataset`.

    Raises:
        UserError: There is no such source, or no network can be trained on it.
    """
    source = str(source)
    # Each source imports its own library, and only when it is used.
    if source == "digits":
        from mobilenet_tf.datasets.sources.digits import load_digits

        return load_digits(input_spec, seed, progress)
    if source.startswith("tfds:"):
        from mobilenet_tf.datasets.sources.tfds import load_tfds

        return load_tfds(source.removeprefix("tfds:"), input_spec, seed, progress)
    require_name(source)
    from mobilenet_tf.datasets.sources.folder import load_folder

    return load_folder(source, input_spec, seed, progress, judge_depth, arrangement)


def class_names(source: str) -> tuple[str, ...]:
    """Return the names of a source's classes without reading its images.

    Raises:
        UserError: There is no such source, or it has no classes.
    """
    source = str(source)
    if source == "digits":
        return tuple("0123456789")
    if source.startswith("tfds:"):
        from mobilenet_tf.datasets.sources.tfds import tfds_classes

        return tfds_classes(source.removeprefix("tfds:"))
    require_name(source)
    from mobilenet_tf.datasets.sources.folder import folder_classes

    return folder_classes(source)


def require_name(source: str) -> None:
    """Reject a source without a name.

    Raises:
        UserError: It is empty.
    """
    if not source:
        raise UserError("The data source is empty; pass a folder, `digits` or `tfds:NAME`.")
