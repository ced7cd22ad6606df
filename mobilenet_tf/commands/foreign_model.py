"""Models of somebody else: any `tf_keras` image classifier -> int8 `.tflite`, with verification."""

import pickle
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.commands.common import LONGEST_PART, start_tensorflow, write_mistakes
from mobilenet_tf.core.bounds import check_normalisation, check_seed
from mobilenet_tf.core.child import Child, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_bytes, write_lines
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import matched, read_labels
from mobilenet_tf.datasets.dataset import Dataset, Split
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.facts import data_facts
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import ForeignModel, open_foreign
from mobilenet_tf.runs.order import order_images, require_model_order
from mobilenet_tf.runs.own_files import is_ours, require_apart, visible
from mobilenet_tf.tasks.classification.task import Classification

_CALIBRATION = 300
_TASK = Classification()
_TENSORFLOW = Tool("TensorFlow", "converted", "mobilenet_tf.commands.foreign_server")
_MEMORY = 16 << 30  # bytes of the child, of which TensorFlow reserves most without using them
_LOAD_SECONDS, _PREDICT_SECONDS, _CONVERT_SECONDS = 300.0, 300.0, 1800.0


@dataclass(frozen=True)
class ModelData:
    """Dataset and preprocessing of a model that is not a run.

    Attributes:
        data: Source of the images, as for `load_data`: training images calibrate the ranges, test
            images measure the accuracy.
        mean, std: The model expects (pixel - mean) / std.
        crop: Share of the picture that is used, see `InputSpec`.
        seed: Seed of the split.
        trust_code: Whether functions of the model file may run while it is read.
        labels: File with the class names in the order of the model's outputs, one per line; by
            default they are in the order of the data.
    """

    data: str | Path | None = None
    mean: float | None = None
    std: float | None = None
    crop: float = 1.0
    seed: int = 0
    trust_code: bool = False
    labels: str | Path | None = None


def export_foreign(
    path: str | Path,
    data: ModelData,
    *,
    io: str = "uint8",
    out: str | Path | None = None,
    overwrite: bool = False,
) -> RunFolder:
    """Quantize a model after training, verify the file against it and write the report.

    Args:
        path: A .h5 or .keras file or a SavedModel; a single sigmoid separates two classes.
        data: Dataset and preprocessing.
        io: Type of the file's input and output.
        out: Folder for the file, its metrics and the report; by default `runs/MODEL_int8`.
        overwrite: Whether to delete an earlier export in the folder.

    Raises:
        UserError: Data or preprocessing are missing, the folder is in use, the model cannot be
            used (see `ForeignModel.load_classifier`), or the classes of the data are not its
            outputs.
    """
    source, mean, std = _checked(path, data)
    names = None if data.labels is None else read_labels(data.labels)
    model = open_foreign(path, data.trust_code)
    folder = RunFolder(out or Path("runs") / f"{Path(path).stem[:LONGEST_PART]}_int8")
    with folder.at_work():
        require_apart(folder.path, {"data": source, "model": str(path)}, overwrite=overwrite)
        if is_ours(folder.path) and visible(folder.path) and not overwrite:
            raise UserError(
                f"{folder.path} is not empty; use --overwrite, or --out for another folder."
            )
        folder.require_free(overwrite)
        data = replace(data, data=source, mean=mean, std=std)
        _quantize(model, names or model.class_names, data, io, folder)
    return folder


def _quantize(
    foreign: ForeignModel,
    names: tuple[str, ...] | None,
    data: ModelData,
    io: str,
    folder: RunFolder,
) -> None:
    """Quantize a model, verify the file and write everything into the folder."""
    path = foreign.path
    source, mean, std = _checked(path, data)
    child = _Converter(foreign)
    start_tensorflow()
    from mobilenet_tf.compression.calibration import calibration_facts
    from mobilenet_tf.deployment.proof.verify import Forms, verify
    from mobilenet_tf.deployment.report.page import write_report

    started = time.monotonic()
    height, width, channels = child.load()
    spec = InputSpec((height, width), channels, mean, std, data.crop)
    dataset = _in_order(_TASK.read(source, spec, data.seed), names, data.labels or path)
    spec = replace(spec, white_level=dataset.white_level)
    classes = dataset.classes
    if len(classes) != child.classes:
        raise UserError(
            f"{path} separates {child.classes} classes, but {source} has {len(classes)}."
        )
    images = dataset.train.sample(_CALIBRATION, data.seed, spec)
    if data.labels is None:
        require_model_order(
            lambda pixels: child.predict(spec.normalise(pixels)),
            dataset.train.sample(order_images(len(classes)), data.seed, spec),
            classes,
            str(path),
            "Give the class names in the order of its outputs with --labels FILE.",
        )
    pixels = _with_full_range(images.images)
    content = add_metadata(
        child.convert(io, spec.normalise(pixels)),
        name=path.stem,
        description=f"{_TASK.description(len(classes))}, quantized after training.",
        labels=classes,
        input_spec=spec,
    )
    model = foreign.load_classifier()
    forms = Forms(content=content, float_model=model)
    found = verify(forms, dataset.test, classes, spec, data.seed)
    folder.clear("model")
    write_bytes(folder.tflite, content)
    write_lines(folder.labels_file, classes)
    write_mistakes(folder, found.mistakes)
    folder.update_result(
        task=_TASK.name,
        model={
            "name": path.stem,
            "input": spec.to_dict(),
            "classes": len(classes),
            "parameters": model.count_params(),
        },
        data=data_facts(dataset),
        source={
            **asdict(data),
            "model": str(path),
            "io": io,
            "data": source,
            "labels": None if data.labels is None else str(data.labels),
        },
        calibration=calibration_facts(pixels, images.labels, classes),
        **found.sections,
        tflite=file_facts(content),
        seed=data.seed,
        seconds={"export": round(time.monotonic() - started, 1)},
    )
    write_report(folder)


def _checked(path: str | Path, data: ModelData) -> tuple[str, float, float]:
    """Return source, mean and std, all of which are needed."""
    if data.data is None:
        raise UserError(f"{path} needs --data: real images for calibration and evaluation.")
    if data.mean is None or data.std is None:
        raise UserError(
            f"{path} needs --mean and --std, because its input is (pixel - mean) / std: 127.5 and "
            "127.5 for -1..1, 0 and 255 for 0..1, 0 and 1 for raw pixels."
        )
    check_normalisation(data.mean, data.std)
    check_seed(data.seed)
    return str(data.data), data.mean, data.std


class _Converter:
    """Loads and converts a model in a child process, which it may crash.

    What has passed there is loaded in this process afterwards, to be compared with its file.
    """

    def __init__(self, model: ForeignModel):
        self._model, self.classes = model, 0
        size = 0 if model.content is None else 4 * model.content.weights.size
        self._child = Child(_TENSORFLOW, str(model.path), _MEMORY + 16 * size)

    def load(self) -> tuple[int, int, int]:
        """Return height, width and channels of the input; `classes` is known after it."""
        found, _ = self._child.ask("load", pickle.dumps(self._model), _LOAD_SECONDS)
        self.classes = int(found["classes"])
        height, width, channels = found["input"]
        return height, width, channels

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return float32 (N, classes) scores for normalised images."""
        scores = self._child.ask("predict", pickle.dumps(images), _PREDICT_SECONDS)[1]
        return np.frombuffer(scores, np.float32).reshape(len(images), self.classes)

    def convert(self, io: str, images: np.ndarray) -> bytes:
        """Return the file that `convert` makes with normalised images."""
        return self._child.ask("convert", pickle.dumps(images), _CONVERT_SECONDS, io=io)[1]


def _in_order(dataset: Dataset, names: tuple[str, ...] | None, where: str | Path) -> Dataset:
    """Return the dataset with its classes in the order of a model's outputs, if that is known.

    Args:
        dataset: The dataset.
        names: Names of the outputs.
        where: File that they come from.

    Raises:
        UserError: The names are not those of the data.
    """
    if names is None:
        return dataset
    order = matched(names, dataset.classes)
    if order is None:
        raise UserError(
            f"{where} names {', '.join(names[:10])}; the classes of {dataset.source} are "
            f"{', '.join(dataset.classes[:10])}. Give those in the order of the model's outputs "
            "with --labels FILE."
        )
    places = np.array([order.index(name) for name in dataset.classes])
    splits: dict[str, Any] = {
        part: replace(split, labels=places[split.labels])
        for part in ("train", "validation", "test")
        if isinstance(split := getattr(dataset, part), Split)  # a stream has no labels yet
    }
    return replace(dataset, classes=order, **splits)


def _with_full_range(pictures: np.ndarray) -> np.ndarray:
    """Return a copy with a pixel 0 and a pixel 255, which make the input's scale 1 / std."""
    pixels = pictures.copy()
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    return pixels
