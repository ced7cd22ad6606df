"""Verify a run: its networks and files on its test images."""

import time
from typing import Any

import numpy as np
from PIL import Image

from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.deployment.proof.verify import Forms
from mobilenet_tf.deployment.proof.verify import verify as verify_forms
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.quantize_stage import load_float, load_qat
from mobilenet_tf.runs.run import Job


def verify(job: Job) -> dict[str, Any]:
    """Measure float, QAT, int8 and post-training quantization on the test images.

    Returns:
        The run's `result.json`.
    """
    started = time.monotonic()
    forms = Forms(
        content=job.run.tflite.read_bytes(),
        float_model=load_float(job),
        qat=load_qat(job),
        ptq_content=job.run.ptq_tflite.read_bytes(),
    )
    found = verify_forms(forms, job.data.test, job.classes, job.spec.input, job.seed)
    write_mistakes(job.run, found.mistakes)
    return job.run.update_result(
        **found.sections, seconds={"verify": round(time.monotonic() - started, 1)}
    )


def write_mistakes(run: RunFolder, mistakes: dict[str, np.ndarray]) -> None:
    """Write the images of `Verification.mistakes` into the run folder."""
    for name, pixels in mistakes.items():
        write_atomically(run.path / name, Image.fromarray(np.squeeze(pixels)).save)
