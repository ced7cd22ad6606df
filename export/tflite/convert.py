"""Stage 3: a Keras model -> an integer `.tflite` with its labels and preprocessing inside."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.settings import IO_TYPES
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.core.terminal import quiet
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.quantize_stage import load_float, load_qat
from mobilenet_tf.runs.run import Job


def convert(model: keras.Model, io: str = "uint8", pictures: np.ndarray | None = None) -> bytes:
    """An int8 `.tflite` of batch 1 and fixed size.

    Args:
        model: quantization-aware; or any float model, if `pictures` are given.
        io: type of the file's input and output: uint8, int8 or float32.
        pictures: (N, h, w, c) float32, as the model takes them: post-training quantization
            sets its ranges with them.

    Returns:
        The file's bytes, without metadata.

    Raises:
        UserError: another `io`.
    """
    if io not in IO_TYPES:
        raise UserError(f"io is {io!r}; it must be one of {', '.join(IO_TYPES)}.")
    function = traced(model)
    # Given the model itself, the converter would first save it with a trace of every layer, which
    # takes ten times as long as the conversion.
    holder = tf.Module()
    holder.variables_read = function.variables
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(io)
    if pictures is not None:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([picture[None]] for picture in pictures)
    with quiet():
        return converter.convert()


def traced(model: keras.Model):
    """The graph that is converted: batch 1, fixed size, and of a QAT model the training graph."""
    # A free batch size would leave the arithmetic of shapes in the file.
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    # A quantization-aware model has its ranges in its training graph, see `QuantizedLayer`.
    training = any(isinstance(layer, QuantizedLayer) for layer in model.layers)
    function = tf.function(
        lambda image: model(image, training=training), input_signature=[signature], autograph=False
    )
    return function.get_concrete_function()


def export(job: Job) -> None:
    """Write `model_int8.tflite` from `qat.keras`, and post-training quantization beside it."""
    started = time.monotonic()
    content = convert(load_qat(job), job.int8.io)
    job.run.update_result(conversion_seconds=round(time.monotonic() - started, 1))
    _write(job, job.run.tflite, content)
    write_text(job.run.labels_file, "".join(f"{name}\n" for name in job.classes))

    pictures = calibration_images(job.data.train, job.spec, job.recipe.calibration, job.seed)
    _write(job, job.run.ptq_tflite, convert(load_float(job), job.int8.io, pictures))

    job.run.update_result(
        tflite=tflite_facts(job.run.tflite),
        ptq={"bytes": job.run.ptq_tflite.stat().st_size},
        seconds={"export": round(time.monotonic() - started, 1)},
    )


def _write(job: Job, path, content: bytes) -> None:
    name = f"MobileNet {job.spec.title}, int8"
    content = add_metadata(
        content,
        name=name,
        description=f"Image classifier of {len(job.classes)} classes, trained on {job.source}.",
        labels=job.classes,
        preprocessing=job.spec.input,
    )
    write_atomically(path, lambda partial: partial.write_bytes(content))


def calibration_facts(pixels: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict:
    """What the ranges were set with, for `result.json`."""
    counts = np.bincount(labels, minlength=len(classes))
    return {
        "pictures": len(pixels),
        "per_class": {name: int(count) for name, count in zip(classes, counts, strict=True)},
        "lowest_pixel": int(pixels.min()),
        "highest_pixel": int(pixels.max()),
    }


def tflite_facts(path: Path) -> dict:
    """What `result.json` keeps of `inspect`."""
    facts = inspect(path)
    return {
        "bytes": facts["bytes"],
        "ops": {name: op["count"] for name, op in facts["ops"].items()},
        "float_tensors": facts["float_tensors"],
        "quantize_ops": facts["quantize_ops"],
        "partitions": facts["delegate"]["partitions"],
        "left_out": sorted(facts["delegate"]["left_out"] or {}),
        "min_runtime": facts["required_runtime"],
        "peak_activation_bytes": facts["peak_activation_bytes"],
        "input": facts["inputs"][0],
        "output": facts["outputs"][0],
    }
