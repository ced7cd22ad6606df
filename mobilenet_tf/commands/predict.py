"""`predict`: what a file finds in images. Needs no TensorFlow."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.outcomes.predictions import Predictions
from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.labels import read_labels
from mobilenet_tf.deployment.proof import predict as proof
from mobilenet_tf.deployment.proof.opening import Stated
from mobilenet_tf.networks.zoo import MOST_CLASSES

_LARGEST_BATCH = 4096


def predict(
    file: str | Path,
    images: Sequence[str | Path],
    *,
    top: int = 3,
    batch: int = proof.BATCH,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    labels: str | Path | None = None,
) -> Predictions:
    """Say what a `.tflite` finds in images, such as the likeliest classes.

    Args:
        file: The `.tflite`.
        images: Image files, folders of which all images count, and patterns such as `new/*.jpg`.
        top: Number of results per image.
        batch: Number of images that are in memory at once.
        mean: The file's input is (pixel - mean) / std, where its metadata do not say this: one
            value, or one per channel.
        std: See `mean`.
        labels: File with one class name per line, in the order of the outputs.

    Returns:
        What it says. Images that cannot be read do not keep the others from being classified.

    Raises:
        UserError: The file cannot be read, none of the images can, or a value is not accepted.
    """
    _check(top, batch)
    return Predictions(proof.predict(file, images, top, stated(mean, std, labels), batch))


def predict_parts(
    file: str | Path,
    images: Sequence[str | Path],
    *,
    top: int = 3,
    batch: int = proof.BATCH,
    **statements: Any,
) -> Iterator[dict[str, Any]]:
    """Yield the parts of what `predict` returns, each of `batch` images, as they are found.

    The arguments and errors are those of `predict`; `statements` are mean, std and labels.
    """
    _check(top, batch)
    return proof.predictions(file, images, top, stated(**statements), batch)


def _check(top: int, batch: int) -> None:
    check_whole("top", top, 1, MOST_CLASSES)
    check_whole("batch", batch, 1, _LARGEST_BATCH)


def stated(
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    labels: str | Path | None = None,
) -> Stated:
    """Return what a user says about a file.

    Raises:
        UserError: A value is not accepted, or the labels cannot be read.
    """
    return Stated(_values(mean), _values(std), None if labels is None else read_labels(labels))


def _values(value: float | Sequence[float] | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, Sequence) else (value,)
