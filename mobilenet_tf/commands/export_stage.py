"""Convert a run: `qat.keras` to `model_int8.tflite`, and post-training quantization beside it."""

import time
from pathlib import Path

from mobilenet_tf.core.files import write_bytes, write_lines
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.quantize_stage import load_float, load_qat
from mobilenet_tf.runs.run import Job


def export(job: Job) -> None:
    """Write `model_int8.tflite` from `qat.keras`, the labels, and `model_ptq_int8.tflite`."""
    started = time.monotonic()
    content = convert(load_qat(job), job.int8.io)
    job.run.update_result(conversion_seconds=round(time.monotonic() - started, 1))
    _write(job, job.run.tflite, content)
    write_lines(job.run.labels_file, job.classes)

    images = calibration_images(job.data.train, job.spec, job.recipe.calibration, job.seed)
    _write(job, job.run.ptq_tflite, convert(load_float(job), job.int8.io, images))

    job.run.update_result(
        tflite=file_facts(job.run.tflite),
        ptq={"bytes": job.run.ptq_tflite.stat().st_size},
        seconds={"export": round(time.monotonic() - started, 1)},
    )


def _write(job: Job, path: Path, content: bytes) -> None:
    content = add_metadata(
        content,
        name=f"MobileNet {job.spec.title}, int8",
        description=f"Image classifier of {len(job.classes)} classes, trained on {job.source}.",
        labels=job.classes,
        input_spec=job.spec.input,
    )
    write_bytes(path, content)
