"""The one door to every source of pictures."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split


def source_name(source: str) -> str:
    """What to call a source in the name of a folder."""
    if source.startswith("tfds:"):
        return source.removeprefix("tfds:")
    return Path(source).resolve().name


def load_test(
    source: str,
    labels: Sequence[str],
    spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Split, list[dict]]:
    """The pictures to judge a finished model with; their labels are indices into `labels`.

    All pictures of a folder per class (of `train/ val/ test/` those of test), or the test part of
    `digits` and `tfds:NAME` under `seed`.

    Returns:
        The pictures, and what was skipped.

    Raises:
        UserError: there is no such source, or its classes are not the model's.
    """
    if source == "digits" or source.startswith("tfds:"):
        data = load_data(source, spec, seed, progress)
        if data.classes != tuple(labels):
            raise UserError(f"The classes of {source} are not those of the model.")
        return data.test, data.skipped
    from mobilenet_tf.datasets.sources.folder import load_labelled

    return load_labelled(source, labels, spec, progress)


def load_data(
    source: str, spec: InputSpec, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Read, prepare and share out the pictures of a source.

    Args:
        source: `digits` (comes with scikit-learn), `tfds:NAME`, or a folder with a folder of
            pictures per class.
        spec: gives size, channels and crop. Its number of classes is not used: the data
            decides, see `InputSpec.with_classes`.
        seed: of the sharing out.
        progress: called with (pictures done, pictures in all).

    Raises:
        UserError: there is no such source, or it cannot be learned from.
    """
    source = str(source)
    # Each source imports its own library, and only when it is asked for.
    if source == "digits":
        from mobilenet_tf.datasets.sources.digits import load_digits

        return load_digits(spec, seed, progress)
    if source.startswith("tfds:"):
        from mobilenet_tf.datasets.sources.tfds import load_tfds

        return load_tfds(source.removeprefix("tfds:"), spec, seed, progress)
    _require_name(source)
    from mobilenet_tf.datasets.sources.folder import load_folder

    return load_folder(source, spec, seed, progress)


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
    _require_name(source)
    from mobilenet_tf.datasets.sources.folder import folder_classes

    return folder_classes(source)


def _require_name(source: str) -> None:
    if not source:
        raise UserError("The data source is empty; give a folder, `digits` or `tfds:NAME`.")
