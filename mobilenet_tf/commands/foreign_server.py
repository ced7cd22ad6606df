"""The child process that runs and converts models of other people; `foreign_model` starts it.

TensorFlow's converter ends the process on some models that Keras accepts.
"""

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

    def answer(self, request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytes]:
        """Load a model and return its shapes, or predict or convert it with images."""
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
        images = pickle.loads(content.read())
        if request["do"] == "predict":
            return {}, np.asarray(self.model(images, training=False), np.float32).tobytes()
        from mobilenet_tf.deployment.tflite.convert import convert

        return {}, convert(self.model, request["io"], images)


if __name__ == "__main__":
    serve(_Server().answer)
