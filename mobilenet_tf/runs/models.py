"""The Keras models of a run folder."""

from dataclasses import dataclass

import tf_keras as keras

from mobilenet_tf.compression.quantized_layer import custom_objects
from mobilenet_tf.networks.keras_model import OWN_LAYERS
from mobilenet_tf.runs.folder import RunFolder


@dataclass(frozen=True)
class Models:
    """The networks of a run that conversion and verification have in common.

    Attributes:
        float: The trained float network.
        qat: The network after quantization-aware training.
    """

    float: keras.Model
    qat: keras.Model


def load_models(folder: RunFolder) -> Models:
    """Load both networks of a run."""
    return Models(load_float(folder), load_qat(folder))


def load_float(folder: RunFolder) -> keras.Model:
    """Load the network that `train` wrote."""
    return keras.models.load_model(folder.float_model, custom_objects=OWN_LAYERS, compile=False)


def load_qat(folder: RunFolder) -> keras.Model:
    """Load the network that `quantize` wrote."""
    return keras.models.load_model(folder.qat_model, custom_objects=custom_objects(), compile=False)
