"""The Keras models of a run folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf_keras as keras

from mobilenet_tf.compression.quantized_layer import custom_objects
from mobilenet_tf.core.errors import UserError
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
    """Load the network that `train` wrote.

    Raises:
        UserError: The file is damaged.
    """
    command = f"train --config {folder.config_file} --out {folder.path} --resume"
    return _load(folder.float_model, OWN_LAYERS, command)


def load_qat(folder: RunFolder) -> keras.Model:
    """Load the network that `quantize` wrote.

    Raises:
        UserError: The file is damaged.
    """
    return _load(folder.qat_model, custom_objects(), f"quantize {folder.path}")


def _load(path: Path, objects: dict[str, Any], command: str) -> keras.Model:
    try:
        return keras.models.load_model(path, custom_objects=objects, compile=False)
    except Exception as error:  # a damaged file can make Keras raise anything
        raise UserError(
            f"{path} is damaged and cannot be read; `mobilenet-tf {command}` makes it again."
        ) from error
