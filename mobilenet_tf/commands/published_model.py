"""A network of the zoo with trained weights, which is quantized without further training."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.commands.common import start_tensorflow
from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.labels import read_labels
from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.networks.published.classes import IMAGENET_CROP, imagenet_classes
from mobilenet_tf.networks.published.names import head_layers
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.facts import model_facts


@dataclass(frozen=True)
class Pretrained:
    """A network of the zoo with trained weights.

    Attributes:
        name: Name of the network.
        alpha: Width multiplier.
        size: Side of the input in pixels.
        weights: `imagenet`, or a weights file with classifier in the layout of Keras applications.
    """

    name: str = "v1"
    alpha: float = 1.0
    size: int = 224
    weights: str | Path = "imagenet"

    def network(self, data: ModelData) -> Network:
        """Return the network with as many classes as there are labels, or ImageNet's.

        Raises:
            UserError: A value is not accepted, or an option does not apply.
        """
        for name in ("mean", "std", "trust_code"):
            if getattr(data, name):
                raise UserError(
                    f"{name} applies only to a model file; {self.name} has its own preprocessing "
                    "and no code."
                )
        names = imagenet_classes() if data.labels is None else read_labels(data.labels)
        network = make_network(self.name, self.alpha, self.size, len(names))
        crop = IMAGENET_CROP if data.crop is None else data.crop
        return replace(network, input=replace(network.input, crop=crop))


class PublishedClassifier:
    """A `post_training.Classifier`: deploy form, calibration, and this project's rounding."""

    def __init__(self, pretrained: Pretrained, data: ModelData) -> None:
        self.network = pretrained.network(data)
        self.path = str(pretrained.weights)
        self.name = f"{self.network.name}_{self.network.alpha:g}_{self.network.input.size_text}"
        self.outputs = self.network.classes
        self.names = imagenet_classes() if data.labels is None else None
        self.source: dict[str, Any] = {
            "model": self.network.name,
            "alpha": pretrained.alpha,
            "size": pretrained.size,
            "weights": self.path,
            "crop": self.network.input.crop,
            **data.rounding(),
        }
        self._rounding = not data.per_tensor, data.post_training

    def load(self) -> InputSpec:
        """Build the network with its weights.

        Raises:
            UserError: See `load_weights`; or the weights have no classifier for these classes.
        """
        start_tensorflow()
        from mobilenet_tf.networks.keras_model import build_network
        from mobilenet_tf.networks.published.weights import load_weights

        self._model = build_network(self.network)
        classifier = self._model.get_layer(head_layers(self.network)[-1])
        random = classifier.get_weights()
        load_weights(self._model, self.path, self.network)
        if all(map(np.array_equal, random, classifier.get_weights())):
            raise UserError(
                f"{self.path} has no classifier for {self.outputs:,} classes, which is needed "
                "without training; name its classes with --labels FILE."
            )
        return self.network.input

    def facts(self, input_spec: InputSpec) -> dict[str, Any]:
        """Return those of a network of the zoo."""
        return model_facts(replace(self.network, input=input_spec))

    def real_outputs(self, pictures: np.ndarray, input_spec: InputSpec) -> Outputs:
        """Return the scores of the canonical network."""
        from mobilenet_tf.deployment.proof.verify import real_outputs

        return real_outputs(self._model, pictures, input_spec)

    def convert(self, io: str, pictures: np.ndarray, input_spec: InputSpec) -> bytes:
        """Quantize the deploy form and convert it."""
        from mobilenet_tf.compression.deploy import deploy_form
        from mobilenet_tf.compression.post_training.quantize import quantize_after_training
        from mobilenet_tf.deployment.tflite.convert import convert

        images = input_spec.normalise(pictures)
        deployed = deploy_form(self._model)
        self._rounded = quantize_after_training(deployed, images, input_spec, *self._rounding)
        return convert(self._rounded, io)

    def blocks(
        self, content: bytes, pictures: np.ndarray, input_spec: InputSpec
    ) -> list[dict[str, Any]]:
        """Compare the file with the model that it was converted from, tensor by tensor."""
        from mobilenet_tf.deployment.proof.tensors import compare

        return compare(self._rounded, content, pictures, input_spec.normalise(pictures))
