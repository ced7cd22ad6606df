"""Open a `.tflite` with what its metadata say, or what the user says instead."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from mobilenet_tf.core.bounds import check_channels_last, check_normalisation
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.tasks.registry import task_from_dict
from mobilenet_tf.tasks.task import Task

_PREPARED = ("crop", "fit", "resize", "white_level")


def model_input(model: TFLiteModel) -> InputSpec:
    """Return size, channels and preprocessing of a file, to load images with.

    Raises:
        UserError: The input has its channels first.
    """
    _, height, width, channels = model.input.shape
    check_channels_last(model.input.shape, model.name)
    stated = {name: getattr(model.metadata, name) for name in _PREPARED}
    known: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    return InputSpec((height, width), channels, **known)


def labels_of(model: TFLiteModel) -> list[str]:
    """Return the file's labels, or the classes' numbers if it has none."""
    return list(model.labels or map(str, range(model.classes)))


def task_of(model: TFLiteModel) -> Task:
    """Return what a file is for, by its metadata; classification if they do not say it.

    Raises:
        UserError: They name a task or a setting that this version does not know, or the outputs
            are not those of the task.
    """
    task = task_from_dict(model.metadata.extra.get("task"), model.name)
    if not task.accepts(model.shapes):
        shapes = ", ".join("x".join(map(str, shape)) for shape in model.shapes)
        raise UserError(
            f"{model.name} has outputs of the shapes {shapes}, which are not those of the task "
            f"{task.name}."
        )
    return task


@dataclass(frozen=True)
class Stated:
    """What a user says about a file whose metadata do not, or say it wrong.

    Attributes:
        mean, std: Its input is (pixel - mean) / std: one value, or one per channel.
        labels: Class names in the order of its outputs.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise UserError("mean and std belong together; give both.")
        for mean, std in product(self.mean or (), self.std or ()):
            check_normalisation(mean, std)


NOTHING_STATED = Stated()


def open_model(path: str | Path, stated: Stated) -> tuple[TFLiteModel, list[str]]:
    """Return a file and its class names.

    Raises:
        UserError: The file cannot be used, or what is stated does not fit it.
    """
    model = TFLiteModel(path, threads=2, mean=stated.mean, std=stated.std)
    labels = labels_of(model)
    if stated.labels is not None and len(stated.labels) != len(labels):
        raise UserError(f"{path} has {len(labels)} classes, not {len(stated.labels)} labels.")
    channels = model.input.shape[3]
    for name in ("mean", "std"):
        values = getattr(stated, name)
        if values is not None and len(values) not in (1, channels):
            raise UserError(
                f"{name} has {len(values)} values; {path} needs one, or one for each of its "
                f"{channels} channels."
            )
    return model, labels if stated.labels is None else list(stated.labels)
