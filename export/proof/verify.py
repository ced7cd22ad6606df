"""Stage 4: the proof. What was trained, against what the file computes, on the test pictures."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from PIL import Image

from mobilenet_tf import __version__
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.deployment.proof.tensors import distance
from mobilenet_tf.deployment.tflite.interpreter import TensorInfo
from mobilenet_tf.runs.folder import RunFolder

_WORST = 12
_LIBRARIES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tf_keras",
    "tfmot": "tensorflow-model-optimization",
    "litert": "ai-edge-litert",
}


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
        image = Image.fromarray(np.squeeze(test.pictures[row]))
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
