"""Other people's models: any `tf_keras` image classifier -> int8 `.tflite`, with the same proof."""

import time
from pathlib import Path

import numpy as np
import tf_keras as keras
from PIL import Image

from mobilenet_tf.compression.calibration import calibration_facts
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_bytes, write_lines
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.deployment.proof.verify import Forms, verify
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.keras_model import OWN_LAYERS
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import data_facts

_CALIBRATION = 300


def load_foreign(path: str | Path) -> keras.Model:
    """A Keras model file or SavedModel folder with one picture as input.

    Raises:
        UserError: it is absent, no Keras model, of an unknown layer, or not one fixed picture in
            and one row of scores out.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path} does not exist; a .h5 or .keras file or a SavedModel is needed.")
    try:
        model = keras.models.load_model(path, custom_objects=OWN_LAYERS, compile=False)
    except Exception as error:  # Keras raises whatever the file makes it meet
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise UserError(f"{path} cannot be loaded as a tf_keras model: {reason}.") from error
    for ends, what in ((model.inputs, "inputs"), (model.outputs, "outputs")):
        if ends is None or len(ends) != 1:
            names = ", ".join(end.name for end in ends or ())
            raise UserError(f"{path} has {len(ends or ())} {what} ({names}); one is needed.")
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or None in shape[1:] or shape[1] != shape[2] or shape[3] not in (1, 3):
        raise UserError(
            f"{path} takes an input of shape {shape}; a fixed square of 1 or 3 channels is needed."
        )
    if len(model.outputs[0].shape) != 2 or model.outputs[0].shape[1] is None:
        raise UserError(
            f"{path} gives {tuple(model.outputs[0].shape)}; scores per class are needed."
        )
    return model


def export_foreign(
    path: str | Path,
    source: str,
    mean: float,
    std: float,
    out: str | Path,
    io: str = "uint8",
    crop: float = 1.0,
    seed: int = 0,
    overwrite: bool = False,
) -> RunFolder:
    """Quantize a model after training, with real pictures, and prove the file against it.

    Args:
        path: of the model.
        source: pictures, as for `load_data`; train pictures calibrate, test pictures judge.
        mean: Mean of the normalisation (pixel - mean) / std.
        std: Standard deviation of the normalisation.
        out: folder for the file, its figures and the report.
        io: type of the file's input and output.
        crop: see `InputSpec`.
        seed: of the split.
        overwrite: replace what `out` holds.

    Raises:
        UserError: see `load_foreign` and `load_data`; or the classes do not fit the outputs.
    """
    if std <= 0:
        raise UserError(f"std is {std:g}; it must be greater than 0.")
    run = RunFolder(out)
    if run.path.exists() and any(run.path.iterdir()):
        if not overwrite:
            raise UserError(
                f"{run.path} is not empty; use --overwrite, or --out for another folder."
            )
        run.require_ours(run.result_file)
    started = time.monotonic()
    model = load_foreign(path)
    _, size, _, channels = model.inputs[0].shape
    preprocessing = InputSpec(size, channels, mean, std, crop)
    with picture_progress(f"Reading {source}") as progress:
        data = load_data(source, preprocessing, seed, progress)
    classes = model.outputs[0].shape[1]
    if len(data.classes) != classes:
        raise UserError(
            f"{path} has {classes} outputs, but {source} has {len(data.classes)} classes."
        )
    few = data.train.sample(_CALIBRATION, seed, preprocessing)
    pixels = few.images.copy()
    # Two pixels that make the input's range that of all pixels, so its scale is 1 / std.
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    content = convert(model, io, preprocessing.normalise(pixels))
    content = add_metadata(
        content,
        name=Path(path).stem,
        description=f"Image classifier of {classes} classes, quantized after training.",
        labels=data.classes,
        input_spec=preprocessing,
    )
    found = verify(
        Forms(content=content, float_model=model), data.test, data.classes, preprocessing, seed
    )
    run.clear()
    write_bytes(run.tflite, content)
    write_lines(run.labels_file, data.classes)
    for name, image in found.mistakes.items():
        write_atomically(run.path / name, Image.fromarray(np.squeeze(image)).save)
    run.update_result(
        model={
            "name": Path(path).stem,
            "size": size,
            "channels": channels,
            "classes": classes,
            "parameters": model.count_params(),
            "preprocessing": vars(preprocessing),
        },
        data=data_facts(data),
        source={
            "model": str(path),
            "data": source,
            "mean": mean,
            "std": std,
            "io": io,
            "crop": crop,
            "seed": seed,
        },
        calibration=calibration_facts(pixels, few.labels, data.classes),
        **found.sections,
        tflite=file_facts(run.tflite),
        seed=seed,
        seconds={"export": round(time.monotonic() - started, 1)},
    )
    return run
