"""`verify`: the .tflite of a run against the networks that it came from, on the test images."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilenet_tf.commands.common import as_run, start_tensorflow
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.proof.evaluate import figures, run_all, sections
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import Run

if TYPE_CHECKING:
    from mobilenet_tf.runs.models import Models

_BATCH = 64
_COMPARED = 32  # images for the comparison of all tensors


def verify(run: Run | str | Path) -> Run:
    """Measure all forms of a run's network on the test images and write report and model card.

    Args:
        run: The run or its folder.

    Returns:
        The run; its `result()` has the metrics.

    Raises:
        UserError: The run has no int8 file yet, or its dataset has changed.
    """
    run = as_run(run, "model_int8.tflite")
    start_tensorflow()
    from mobilenet_tf.runs.models import load_models

    verify_run(run, load_models(run.folder))
    return run


def verify_run(run: Run, models: "Models") -> None:
    """Verify a run whose networks are loaded, and write report and model card."""
    from mobilenet_tf.deployment.report.card import write_card
    from mobilenet_tf.deployment.report.page import write_report

    measure(run, models)
    write_report(run.folder)
    write_card(run.folder)


def measure(run: Run, models: "Models") -> None:
    """Write the metrics of float, QAT, int8 and plain post-training quantization."""
    from mobilenet_tf.datasets.dataset import balanced
    from mobilenet_tf.datasets.pipeline import evaluation_batches
    from mobilenet_tf.deployment.proof.tensors import compare

    started, folder, test = time.monotonic(), run.folder, run.data.test
    batches = partial(evaluation_batches, test, run.network, _BATCH)
    ptq = TFLiteModel(folder.ptq_tflite, threads=2)
    scores = {
        "float": models.float.predict(batches(), verbose=0),
        "qat": models.qat.predict(batches(), verbose=0),
        "ptq_int8": ptq.output.dequantize(run_all(ptq, test.pictures, "Verifying PTQ")),
    }
    found = file_metrics(folder, test, run.classes, scores, reference="qat")
    sample = test.pictures[balanced(test.labels, _COMPARED, run.settings.seed)]
    normalised = run.network.input.normalise(sample)
    blocks = compare(models.qat, folder.tflite.read_bytes(), sample, normalised)
    found["parity"]["worst_block"] = min(blocks, key=lambda block: block["sqnr_db"])["name"]
    folder.update_result(
        **found, blocks=blocks, seconds={"verify": round(time.monotonic() - started, 1)}
    )


def file_metrics(
    folder: RunFolder,
    test: Split,
    classes: Sequence[str],
    scores: dict[str, np.ndarray],
    *,
    reference: str = "float",
) -> dict[str, Any]:
    """Run the int8 file on the test images and return its sections of `result.json`.

    The images of the most confident mistakes are written to the folder.

    Args:
        folder: The folder with the file.
        test: The test images.
        classes: Class names.
        scores: Form of the network, such as `float` -> its scores (N, classes).
        reference: The form that the file was converted from.
    """
    from mobilenet_tf.deployment.proof.verify import parity, versions, wrong_answers

    file = TFLiteModel(folder.tflite, threads=2)
    integers = run_all(file, test.pictures, "Verifying int8")
    scores = scores | {"int8": file.output.dequantize(integers)}
    metrics = {form: figures(value, test.labels, classes) for form, value in scores.items()}
    return {
        **sections(metrics),
        "parity": parity(file.scores, scores[reference], integers),
        "worst": wrong_answers(folder, test, classes, scores["int8"]),
        "versions": versions(),
        "machine": machine(),
    }
