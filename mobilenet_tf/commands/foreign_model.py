"""Models from elsewhere: any Keras image classifier, which is loaded in a child process."""

import json
import logging
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.core.bounds import check_normalisation
from mobilenet_tf.core.child import Child, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import console
from mobilenet_tf.runs.foreign import open_foreign

log = logging.getLogger(__name__)

_TENSORFLOW = Tool("TensorFlow", "converted", "mobilenet_tf.commands.foreign_server")
_MEMORY = 16 << 30  # bytes of the child, of which TensorFlow reserves most without using them
_LOAD_SECONDS, _PREDICT_SECONDS, _CONVERT_SECONDS = 300.0, 300.0, 1800.0
_BATCH = 64


def off_ties(pictures: np.ndarray, input_spec: InputSpec) -> np.ndarray:
    """Return normalised pictures that are rounded as the file rounds them.

    With a mean such as 127.5 every pixel lies between two integers of the int8 input. The file
    takes the lower one, which a thousandth of a pixel less makes the nearest.

    Args:
        pictures: uint8 (N, h, w, c).
        input_spec: Preprocessing.
    """
    return input_spec.normalise(pictures) - np.float32(1e-3 / input_spec.std)


class ForeignClassifier:
    """A `post_training.Classifier` that never enters this process, which it may crash.

    Args:
        path: A .h5 or .keras file of tf_keras or Keras 3, or a SavedModel of tf_keras; a single
            sigmoid separates two classes.
        data: Preprocessing, and whether code of the model may run.

    Raises:
        UserError: Preprocessing is missing, or see `open_foreign`.
    """

    def __init__(self, path: str | Path, data: ModelData) -> None:
        if data.mean is None or data.std is None:
            raise UserError(
                f"{path} needs --mean and --std, because its input is (pixel - mean) / std: 127.5 "
                "and 127.5 for -1..1, 0 and 255 for 0..1, 0 and 1 for raw pixels."
            )
        check_normalisation(data.mean, data.std)
        self._model = open_foreign(path, data.trust_code, keras_3=True)
        self._input = InputSpec(1, mean=data.mean, std=data.std, crop=data.crop or 1.0)
        self.path, self.name = str(path), Path(path).stem
        self.names, self.outputs = self._model.class_names, 0
        self.source: dict[str, Any] = {
            "model": self.path,
            "mean": data.mean,
            "std": data.std,
            "crop": self._input.crop,
            "trust_code": data.trust_code,
            **data.rounding(),
        }
        self._rounding = data.per_tensor, data.post_training

    def load(self) -> InputSpec:
        """Load the model in the child."""
        content = self._model.content
        size = 0 if content is None else 4 * content.weights.size
        self._child = Child(_TENSORFLOW, self.path, _MEMORY + 16 * size)
        found, _ = self._child.ask("load", pickle.dumps(self._model), _LOAD_SECONDS)
        self.outputs, self._parameters = int(found["classes"]), int(found["parameters"])
        height, width, channels = found["input"]
        self._input = replace(self._input, size=(height, width), channels=channels)
        return self._input

    def facts(self, input_spec: InputSpec) -> dict[str, Any]:
        """Return what is known of it."""
        return {
            "name": self.name,
            "input": input_spec.to_dict(),
            "classes": self.outputs,
            "parameters": self._parameters,
        }

    def real_outputs(self, pictures: np.ndarray, input_spec: InputSpec) -> Outputs:
        """Return its scores, batch by batch."""
        found = []
        with picture_progress("Running float") as progress:
            for start in range(0, len(pictures), _BATCH):
                images = input_spec.normalise(pictures[start : start + _BATCH])
                scores = self._child.ask("predict", pickle.dumps(images), _PREDICT_SECONDS)[1]
                found.append(np.frombuffer(scores, np.float32).reshape(len(images), self.outputs))
                progress(start + len(images), len(pictures))
        return np.concatenate(found)

    def convert(self, io: str, pictures: np.ndarray, input_spec: InputSpec) -> bytes:
        """Quantize it as the project's networks, or with TensorFlow's converter."""
        images = off_ties(pictures, input_spec)
        given = pickle.dumps((io, images, input_spec, *self._rounding))
        with console.status("Quantizing"):
            found, content = self._child.ask("quantize", given, _CONVERT_SECONDS)
        if found["reason"]:
            self.source["converter_reason"] = found["reason"]
            log.warning("TensorFlow's converter quantizes %s: %s", self.name, found["reason"])
        return content

    def blocks(
        self, content: bytes, pictures: np.ndarray, input_spec: InputSpec
    ) -> list[dict[str, Any]]:
        """Compare the file with what it was converted from, tensor by tensor."""
        if "converter_reason" not in self.source:
            given = pickle.dumps((content, pictures, off_ties(pictures, input_spec)))
            rows: list[dict[str, Any]] = json.loads(
                self._child.ask("compare", given, _CONVERT_SECONDS)[1]
            )
            return rows
        from mobilenet_tf.deployment.proof.rounding import compare_files

        unrounded = self._child.ask("convert_float", b"", _CONVERT_SECONDS)[1]
        return compare_files(unrounded, content, pictures, input_spec)
