"""Models of somebody else: any `tf_keras` image classifier -> int8 `.tflite`, with verification."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_tf.commands.common import LONGEST_PART, start_tensorflow, write_mistakes
from mobilenet_tf.core.bounds import check_normalisation, check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_bytes, write_lines
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import read_labels
from mobilenet_tf.datasets.contents import read_dataset
from mobilenet_tf.datasets.dataset import Dataset, Split
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import check_model_file, load_keras_model
from mobilenet_tf.runs.order import require_order
from mobilenet_tf.runs.own_files import is_ours, require_apart, visible
from mobilenet_tf.runs.run import data_facts

if TYPE_CHECKING:
    import tf_keras as keras

_CALIBRATION = 300


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
        path: A .h5 or .keras file or a SavedModel.
        data: Dataset and preprocessing.
        io: Type of the file's input and output.
        out: Folder for the file, its metrics and the report; by default `runs/MODEL_int8`.
        overwrite: Whether to delete an earlier export in the folder.

    Raises:
        UserError: Data or preprocessing are missing, the folder is in use, the model cannot be
            used (see `load_foreign`), or the classes of the data are not its outputs.
    """
    source, mean, std = _checked(path, data)
    check_model_file(Path(path), data.trust_code)
    folder = RunFolder(out or Path("runs") / f"{Path(path).stem[:LONGEST_PART]}_int8")
    with folder.at_work():
        require_apart(folder.path, {"data": source, "model": str(path)}, overwrite=overwrite)
        if is_ours(folder.path) and visible(folder.path) and not overwrite:
            raise UserError(
                f"{folder.path} is not empty; use --overwrite, or --out for another folder."
            )
        folder.require_free(overwrite)
        _quantize(path, replace(data, data=source, mean=mean, std=std), io, folder)
    return folder


def _quantize(path: str | Path, data: ModelData, io: str, folder: RunFolder) -> None:
    """Quantize a model, verify the file and write everything into the folder."""
    source, mean, std = _checked(path, data)
    start_tensorflow()
    from mobilenet_tf.compression.calibration import calibration_facts
    from mobilenet_tf.deployment.proof.verify import Forms, verify
    from mobilenet_tf.deployment.report.page import write_report
    from mobilenet_tf.deployment.tflite.convert import convert

    started = time.monotonic()
    model = load_foreign(path, data.trust_code)
    _, height, width, channels = model.inputs[0].shape
    spec = InputSpec((height, width), channels, mean, std, data.crop)
    dataset = read_dataset(source, spec, data.seed)
    spec = replace(spec, white_level=dataset.white_level)
    outputs = model.outputs[0].shape[1]
    dataset = _in_order(dataset, data.labels)
    classes = dataset.classes
    if len(classes) != outputs:
        raise UserError(f"{path} has {outputs} outputs, but {source} has {len(classes)} classes.")
    images = dataset.train.sample(_CALIBRATION, data.seed, spec)
    pixels = _with_full_range(images.images)
    content = add_metadata(
        convert(model, io, spec.normalise(pixels)),
        name=Path(path).stem,
        description=f"Image classifier of {len(classes)} classes, quantized after training.",
        labels=classes,
        input_spec=spec,
    )
    forms = Forms(content=content, float_model=model)
    found = verify(forms, dataset.test, classes, spec, data.seed)
    if data.labels is None:
        require_order(
            found.sections["confusion"],
            classes,
            str(path),
            "Give the class names in the order of its outputs with --labels FILE.",
        )
    folder.clear("model")
    write_bytes(folder.tflite, content)
    write_lines(folder.labels_file, classes)
    write_mistakes(folder, found.mistakes)
    folder.update_result(
        model={
            "name": Path(path).stem,
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


def load_foreign(path: str | Path, trust_code: bool = False) -> "keras.Model":
    """Load a Keras model file or SavedModel folder with one image as input.

    Args:
        path: A .h5 or .keras file or a SavedModel.
        trust_code: Whether functions of the file may run.

    Raises:
        UserError: It does not exist, is not a Keras model, has an unknown layer, or does not map
            one square image of fixed size to one score per class.
    """
    path = Path(path)
    model = load_keras_model(path, trust_code)
    for tensors, what in ((model.inputs, "inputs"), (model.outputs, "outputs")):
        if tensors is None or len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors or ())
            raise UserError(f"{path} has {len(tensors or ())} {what} ({names}); one is needed.")
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or None in shape[1:] or shape[1] != shape[2] or shape[3] not in (1, 3):
        raise UserError(
            f"{path} has an input of shape {shape}; a fixed square of 1 or 3 channels is needed."
        )
    if len(model.outputs[0].shape) != 2 or model.outputs[0].shape[1] is None:
        raise UserError(
            f"{path} has an output of shape {tuple(model.outputs[0].shape)}; one score per class "
            "is needed."
        )
    if model.outputs[0].shape[1] == 1:
        raise UserError(
            f"{path} has a single output, such as a sigmoid; one score for each of at least two "
            "classes is needed, such as a softmax of two."
        )
    return model


def _in_order(dataset: Dataset, labels: str | Path | None) -> Dataset:
    """Return the dataset with its classes in the order of a file.

    Raises:
        UserError: The names in the file are not those of the data.
    """
    if labels is None:
        return dataset
    names = read_labels(labels)
    if set(names) != set(dataset.classes):
        raise UserError(
            f"{labels} names {', '.join(names[:10])}; the classes of {dataset.source} are "
            f"{', '.join(dataset.classes[:10])}."
        )
    places = np.array([names.index(name) for name in dataset.classes])
    splits: dict[str, Any] = {
        part: replace(split, labels=places[split.labels])
        for part in ("train", "validation", "test")
        if isinstance(split := getattr(dataset, part), Split)  # a stream has no labels yet
    }
    return replace(dataset, classes=names, **splits)


def _with_full_range(pictures: np.ndarray) -> np.ndarray:
    """Return a copy with a pixel 0 and a pixel 255, which make the input's scale 1 / std."""
    pixels = pictures.copy()
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    return pixels
