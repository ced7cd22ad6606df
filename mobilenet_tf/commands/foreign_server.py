"""The child process that runs and converts models of other people; `foreign_model` starts it.

TensorFlow's converter ends the process on some models that Keras accepts.
"""

import json
import pickle
from typing import Any

import numpy as np

from mobilenet_tf.commands.common import start_tensorflow
from mobilenet_tf.core.serve import Content, serve
from mobilenet_tf.runs.foreign import ForeignModel


class _Server:
    """Holds the model between two requests, whose bytes our own parent has pickled."""

    def __init__(self) -> None:
        start_tensorflow()
        self.model: Any = None
        self.rounded: Any = None

    def answer(self, request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
        """Load a model and return its shapes; predict, quantize, or compare with the file."""
        if request["do"] == "load":
            model: ForeignModel = pickle.loads(content.read())
            self.model = model.load_classifier()
            return {
                "input": self.model.input_shape[1:],
                "classes": self.model.output_shape[1],
                "parameters": self.model.count_params(),
            }, b""
        if request["do"] == "convert_float":
            from mobilenet_tf.deployment.tflite.convert import convert_float

            return {}, convert_float(self.model)
        given = pickle.loads(content.read())
        if request["do"] == "predict":
            return {}, np.asarray(self.model(given, training=False), np.float32).tobytes()
        if request["do"] == "compare":
            from mobilenet_tf.deployment.proof.tensors import compare

            return {}, json.dumps(compare(self.rounded, *given)).encode()
        from mobilenet_tf.commands.foreign_quantize import quantize_foreign

        found = quantize_foreign(self.model, *given)
        self.rounded = found.model
        return {"reason": found.reason}, found.content


if __name__ == "__main__":
    serve(_Server().answer)
