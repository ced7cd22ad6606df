"""Verify an int8 file: compare all forms of a network on the test images.

`verify` gets loaded models and returns the sections of `result.json`; it knows no run folder.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import __version__
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outputs import Outputs, values_of
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.dataset import Split, balanced
from mobilenet_tf.deployment.proof.evaluate import run_all
from mobilenet_tf.deployment.proof.heat_maps import heat_maps
from mobilenet_tf.deployment.proof.opening import task_of
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.proof.tensors import compare
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

_BATCH = 64
_COMPARED = 32  # images for the comparison of tensors
_LIBRARIES = {
    "tensorflow": "tensorflow",
    "tf_keras": "tf_keras",
    "tfmot": "tensorflow-model-optimization",
    "litert": "ai-edge-litert",
}


@dataclass(frozen=True, kw_only=True)
class Forms:
    """The forms of one network that are compared.

    Attributes:
        content: The int8 file.
        float_outputs: Returns the float network's outputs for uint8 pictures; see `real_outputs`.
        float_model: The float network, for heat maps; None for a model that is not this project's.
        qat: The quantization-aware network from which the file was converted; None for a file
            that was quantized after training.
        ptq_content: The file of plain post-training quantization, for comparison, or None.
    """

    content: bytes
    float_outputs: Callable[[np.ndarray, InputSpec], Outputs]
    float_model: keras.Model | None = None
    qat: keras.Model | None = None
    ptq_content: bytes | None = None


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        sections: Sections of `result.json`: those of `Task.sections` and `Task.worst` where the
            images have labels, heat maps of a classifier as pictures, parity, blocks (only with
            `Forms.qat`), versions, machine.
        mistakes: Images of `Task.worst` and of heat maps: path relative to the run folder -> uint8
            (h, w, c). The caller writes them.
    """

    sections: dict[str, Any]
    mistakes: dict[str, np.ndarray]


def verify(
    forms: Forms,
    test: Split,
    classes: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
) -> Verification:
    """Measure all forms of a network on the test images, and the file against its network.

    The file is compared with the quantization-aware network or, without one, with the float
    network.

    Args:
        forms: The models; what they are for is in the metadata of the file.
        test: Test images at the size of the network's input.
        classes: Class names in the order of the labels.
        input_spec: Preprocessing of the networks.
        seed: Seed of the choice of images for the comparison of tensors.
    """
    file = TFLiteModel(forms.content, threads=2)
    task = task_of(file)
    raw = run_all(file, test.images, "Verifying int8")
    scores = {"float": forms.float_outputs(test.images, input_spec)}
    if forms.qat is not None:
        scores["qat"] = real_outputs(forms.qat, test.images, input_spec)
    scores["int8"] = file.real(raw)
    if forms.ptq_content is not None:
        ptq = TFLiteModel(forms.ptq_content, threads=2)
        scores["ptq_int8"] = ptq.real(run_all(ptq, test.images, "Verifying PTQ"))
    found: dict[str, Any] = {"versions": versions(), "machine": machine()}
    shown: dict[str, np.ndarray] = {}
    if test.labelled:
        found |= task.sections(
            {
                name: task.metrics(value, test.labels, classes, f"The {name} form of the network")
                for name, value in scores.items()
            }
        )
        worst = task.worst(test, classes, scores["int8"])
        found[worst.section], shown = worst.rows, worst.pictures
        if forms.float_model is not None and task.one_class:
            maps = heat_maps(forms.float_model, file, test, classes, scores["int8"], input_spec)
            found[maps.section], shown = maps.rows, shown | maps.pictures
    converted = scores["float" if forms.qat is None else "qat"]
    found["parity"] = parity(task, file.scores, converted, raw)
    if forms.qat is not None:
        few = test.images[balanced(test.labels, _COMPARED, seed)]
        found["blocks"] = compare(forms.qat, forms.content, few, input_spec.normalise(few))
        worst_block = min(found["blocks"], key=lambda block: block["sqnr_db"])
        found["parity"]["worst_block"] = worst_block["name"]
    return Verification(found, shown)


def real_outputs(model: keras.Model, pictures: np.ndarray, input_spec: InputSpec) -> Outputs:
    """The network's outputs for uint8 pictures (N, h, w, c), float32."""
    # A free batch size, because a smaller last batch would be traced once more.
    signature = tf.TensorSpec((None, *input_spec.shape), tf.float32)
    starts = range(0, len(pictures), _BATCH)
    batches = tf.data.Dataset.from_generator(
        lambda: (input_spec.normalise(pictures[start : start + _BATCH]) for start in starts),
        output_signature=signature,
    )
    found = model.predict(batches, verbose=0)
    return values_of([found] if len(model.outputs) == 1 else found)


def versions() -> dict[str, str]:
    """Return the versions of everything that may influence the metrics."""
    libraries = {name: version(package) for name, package in _LIBRARIES.items()}
    return {"mobilenet_tf": __version__, "python": platform.python_version(), **libraries}
