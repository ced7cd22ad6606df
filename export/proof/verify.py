"""Stage 4: the proof. What was trained, against what the file computes, on the test pictures."""

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import tf_keras as keras
from PIL import Image

from mobilenet_tf import __version__
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.dataset import Split, balanced
from mobilenet_tf.datasets.pipeline import evaluation_batches
from mobilenet_tf.deployment.proof.evaluate import figures, run_all, sections
from mobilenet_tf.deployment.proof.tensors import compare, distance
from mobilenet_tf.deployment.tflite.interpreter import TensorInfo, TFLiteModel
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.quantize_stage import load_float, load_qat
from mobilenet_tf.runs.run import Job

_BATCH = 64
_WORST = 12
_COMPARED = 32
_LIBRARIES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tf_keras",
    "tfmot": "tensorflow-model-optimization",
    "litert": "ai-edge-litert",
}


def verify(job: Job) -> dict:
    """Measure float, QAT, int8 and plain post-training quantization on the test pictures.

    Returns:
        The run's `result.json`.
    """
    started = time.monotonic()
    test = job.data.test
    file, ptq = (TFLiteModel(path, threads=2) for path in (job.run.tflite, job.run.ptq_tflite))
    qat = load_qat(job)
    integers = run_all(file, test.images, "Verifying int8")
    scores = {
        "float": _predict(load_float(job), test, job),
        "qat": _predict(qat, test, job),
        "int8": file.output.dequantize(integers),
        "ptq_int8": ptq.output.dequantize(run_all(ptq, test.images, "Verifying PTQ")),
    }
    judged = {name: figures(value, test.labels, job.classes) for name, value in scores.items()}
    few = test.images[balanced(test.labels, _COMPARED, job.seed)]
    blocks = compare(qat, job.run.tflite.read_bytes(), few, job.spec.input.normalise(few))
    worst = min(blocks, key=lambda block: block["sqnr_db"])
    return job.run.update_result(
        **sections(judged),
        parity=parity(file.scores, scores["qat"], integers) | {"worst_block": worst["name"]},
        blocks=blocks,
        worst=wrong_answers(job.run, test, job.classes, scores["int8"]),
        versions=versions(),
        machine=machine(),
        seconds={"verify": round(time.monotonic() - started, 1)},
    )


def parity(output: TensorInfo, expected: np.ndarray, found: np.ndarray) -> dict:
    """Agreement of real scores with a file's integers, in steps of the file's output (LSB).

    Args:
        output: `TFLiteModel.scores` of the file.
        expected: (N, C) float.
        found: (N, C) as the file gives them: integers, or floats that came of them.
    """
    if found.dtype.kind == "f":
        found = output.quantize(found)
    steps = distance(output, expected, found)
    same = output.quantize(expected).argmax(axis=1) == found.argmax(axis=1)
    return {
        "images": len(found),
        "max_lsb": int(steps.max()),
        "within_1_lsb": float((steps <= 1).mean()),
        "top1_agreement": float(same.mean()),
    }


def _predict(model: keras.Model, split: Split, job: Job) -> np.ndarray:
    return model.predict(evaluation_batches(split, job.spec, _BATCH), verbose=0)


def wrong_answers(
    run: RunFolder, test: Split, classes: Sequence[str], scores: np.ndarray
) -> list[dict]:
    """The wrong answers that were given with most confidence, and their pictures."""
    predicted = scores.argmax(axis=1)
    confidence = np.where(predicted != test.labels, scores.max(axis=1), -1)
    worst = []
    for rank, row in enumerate(np.argsort(-confidence, kind="stable")[:_WORST]):
        if confidence[row] < 0:
            break
        picture = f"worst/{rank + 1:02d}.png"
        image = Image.fromarray(np.squeeze(test.images[row]))
        write_atomically(run.path / picture, image.save)
        worst.append(
            {
                "file": test.names[row],
                "label": classes[test.labels[row]],
                "predicted": classes[predicted[row]],
                "score": round(float(confidence[row]), 4),
                "picture": picture,
            }
        )
    return worst


def versions() -> dict:
    """Of everything that has a say in the figures."""
    found = {name: version(package) for name, package in _LIBRARIES.items()}
    return {"mobilenet_tf": __version__, "python": platform.python_version(), **found}
