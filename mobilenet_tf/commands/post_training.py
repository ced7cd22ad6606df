"""A trained classifier -> int8 `.tflite` without further training, with verification."""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mobilenet_tf.commands.calibration_data import TASK, read_pictures
from mobilenet_tf.commands.common import (
    LONGEST_PART,
    settled,
    start_tensorflow,
    write_mistakes,
)
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_bytes, write_lines
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import read_labels
from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.deployment.tflite.ends import checked_ends
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.runs.facts import data_facts
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.order import order_images, require_model_order
from mobilenet_tf.runs.own_files import is_ours, require_apart, visible
from mobilenet_tf.tasks.registry import metadata_of
from mobilenet_tf.tasks.task import Task

CALIBRATION = 300  # training images
COMPARED = 32  # images for the comparison of tensors


@dataclass(frozen=True)
class ModelData:
    """Pictures, preprocessing and quantization of a model that is not a run.

    Attributes:
        data: Source of the pictures, as for `load_data`, or any folder with pictures in it.
            Training images calibrate the ranges, and on test images the file is compared with the
            model; where their labels are among its classes, its accuracy is measured too.
        mean, std: A model file expects (pixel - mean) / std.
        crop: Share of the picture that is used, see `InputSpec`; None for all that a model file
            can use, and for that of published networks.
        seed: Seed of the split.
        trust_code: Whether functions of a model file may run while it is read.
        labels: File with the class names in the order of the model's outputs, one per line; by
            default those in the model, ImageNet's for 1,000 published classes, or those of the
            data.
        per_tensor: Whether a weight tensor has one scale, or one per channel.
        post_training: The methods of quantization.
    """

    data: str | Path | None = None
    mean: float | None = None
    std: float | None = None
    crop: float | None = None
    seed: int = 0
    trust_code: bool = False
    labels: str | Path | None = None
    per_tensor: bool = False
    post_training: PostTraining = field(default_factory=PostTraining)

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def rounding(self) -> dict[str, Any]:
        """Return the fields of the section `source` that say how the model is quantized."""
        return {"per_tensor": self.per_tensor, "post_training": asdict(self.post_training)}


class Classifier(Protocol):
    """A trained float classifier and its way to integers.

    Attributes:
        name: Its name, also in the file's metadata.
        path: File that it comes from.
        names: Names of the outputs, if it has any.
        outputs: Their number.
        source: Fields of the section `source` of `result.json` that only it has.
    """

    name: str
    path: str
    names: tuple[str, ...] | None
    outputs: int
    source: dict[str, Any]

    def load(self) -> InputSpec:
        """Load the network and return its input; `outputs` is known after it."""

    def facts(self, input_spec: InputSpec) -> dict[str, Any]:
        """Return the section `model` of `result.json`."""

    def real_outputs(self, pictures: np.ndarray, input_spec: InputSpec) -> Outputs:
        """Return the float network's scores for uint8 pictures (N, h, w, c)."""

    def convert(self, io: str, pictures: np.ndarray, input_spec: InputSpec) -> bytes:
        """Return the int8 file, calibrated on uint8 pictures, without metadata."""

    def blocks(
        self, content: bytes, pictures: np.ndarray, input_spec: InputSpec
    ) -> list[dict[str, Any]]:
        """Return the section `blocks` of `result.json` for a file that `convert` made."""


def export_classifier(
    model: Classifier,
    data: ModelData,
    *,
    io: str = "uint8",
    out: str | Path | None = None,
    overwrite: bool = False,
) -> RunFolder:
    """Quantize a classifier after training, verify the file against it and write the report.

    Args:
        model: The classifier.
        data: Pictures.
        io: Type of the file's input and output.
        out: Folder for the file, its metrics and the report; by default `runs/MODEL_int8`.
        overwrite: Whether to delete an earlier export in the folder.

    Raises:
        UserError: There are no pictures, the folder is in use, or the model cannot be used.
    """
    if data.data is None:
        raise UserError(f"{model.name} needs --data: real pictures to calibrate it with.")
    folder = RunFolder(out or Path("runs") / f"{model.name[:LONGEST_PART]}_int8")
    with folder.at_work():
        sources = {"data": str(data.data), "model": model.path}
        require_apart(folder.path, sources, overwrite=overwrite)
        if is_ours(folder.path) and visible(folder.path) and not overwrite:
            raise UserError(
                f"{folder.path} is not empty; use --overwrite, or --out for another folder."
            )
        folder.require_free(overwrite)
        _quantize(model, replace(data, data=str(data.data)), io, folder)
    return folder


def _quantize(model: Classifier, data: ModelData, io: str, folder: RunFolder) -> None:
    """Quantize a classifier, verify the file and write everything into the folder."""
    source, started = str(data.data), time.monotonic()
    stated = None if data.labels is None else read_labels(data.labels)
    spec = model.load()
    if stated is not None and len(stated) != model.outputs:
        raise UserError(
            f"{data.labels} names {len(stated):,} classes, but {model.name} has {model.outputs:,}."
        )
    names = stated or model.names
    dataset = read_pictures(source, names, model.outputs, spec, data.seed)
    spec = replace(spec, white_level=dataset.white_level)
    classes = dataset.classes or names or ()
    images = dataset.train.sample(CALIBRATION, data.seed, spec)
    if dataset.classes and stated is None:
        require_model_order(
            lambda pixels: model.real_outputs(pixels, spec),
            dataset.train.sample(order_images(len(classes)), data.seed, spec),
            classes,
            model.name,
            "Give the class names in the order of its outputs with --labels FILE.",
        )
    pixels = _with_full_range(images.images)
    converted = model.convert(io, pixels, spec)
    file_spec = _as_the_file_takes_it(converted, spec)

    def described(task: Task) -> bytes:
        return add_metadata(
            converted,
            name=model.name,
            description=f"{task.description(model.outputs)}, quantized after training.",
            labels=classes,
            input_spec=file_spec,
            extra=metadata_of(task),
        )

    content = described(TASK)
    if dataset.classes:
        content = described(settled(TASK, content, dataset.validation, spec))
    start_tensorflow()
    from mobilenet_tf.compression.calibration import calibration_facts
    from mobilenet_tf.deployment.proof.verify import Forms, verify
    from mobilenet_tf.deployment.report.page import write_report

    forms = Forms(content=content, float_outputs=model.real_outputs)
    found = verify(forms, dataset.test, classes, spec, data.seed)
    few = dataset.test.balanced(COMPARED, data.seed).images
    blocks = model.blocks(content, few, spec)
    folder.clear("model")
    write_bytes(folder.tflite, content)
    if classes:
        write_lines(folder.labels_file, classes)
    write_mistakes(folder, found.mistakes)
    folder.update_result(
        task=TASK.name,
        model=model.facts(spec),
        data=data_facts(dataset),
        source={
            "io": io,
            "data": source,
            "seed": data.seed,
            "labels": None if data.labels is None else str(data.labels),
            **model.source,
        },
        calibration=calibration_facts(pixels, images.labels, dataset.classes),
        **found.sections,
        blocks=blocks,
        tflite=file_facts(content),
        seed=data.seed,
        seconds={"export": round(time.monotonic() - started, 1)},
    )
    write_report(folder)


def _as_the_file_takes_it(content: bytes, input_spec: InputSpec) -> InputSpec:
    """Return the preprocessing with the mean that is the file's zero point.

    With a mean such as 127.5 every pixel would lie between two integers of the input, and programs
    would round some up and some down. The file itself takes pixels as they are.
    """
    image, _ = checked_ends(parse_model(content).subgraphs[0], "")
    if image.scale is None or image.zero_point is None:
        return input_spec
    mean = float(image.zero_point + (128 if image.dtype == "int8" else 0))
    exact = input_spec.is_scale(image.scale)
    return (
        replace(input_spec, mean=mean)
        if exact and abs(mean - input_spec.mean) <= 0.5
        else input_spec
    )


def _with_full_range(pictures: np.ndarray) -> np.ndarray:
    """Return a copy with a pixel 0 and a pixel 255, which make the input's scale 1 / std."""
    pixels = pictures.copy()
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    return pixels
