"""The Keras models of a run folder.

They are built from `config.toml`, and only numbers are taken from the .keras files: somebody else
may have sent the folder, and reading a Keras model can run what the file says.
"""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form, input_tensors
from mobilenet_tf.compression.qat import PIXELS_NAME, quantize_aware_again
from mobilenet_tf.compression.scheme import Int8Config
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.h5 import Group, h5_file
from mobilenet_tf.networks.published.stored import add_labels, read_keras
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


def saving(model: keras.Model, classes: Sequence[str]) -> Callable[[Path], None]:
    """Return a function that writes a model with the names of its outputs to a .keras file."""

    def save(path: Path) -> None:
        model.save(path)
        add_labels(path, classes)

    return save


def load_models(folder: RunFolder) -> Models:
    """Read both networks of a run."""
    network = load_float(folder)
    return Models(network, load_qat(folder, network))


def load_float(folder: RunFolder) -> keras.Model:
    """Read the network that `train` wrote.

    Raises:
        UserError: The file is damaged, or is not of the network in `config.toml`.
    """
    return load_network(folder.float_model, folder)


def load_network(path: Path, folder: RunFolder) -> keras.Model:
    """Read a float network of a run from a .keras file.

    Raises:
        UserError: The file is damaged, or is not of the network in `config.toml`.
    """
    read = read_keras(path)
    settings = folder.settings()
    model = build_network(settings.network, dropout=settings.recipe.dropout)
    _fill(model, read.weights, path)
    return model


def load_qat(folder: RunFolder, network: keras.Model | None = None) -> keras.Model:
    """Read the network that `quantize` wrote.

    Args:
        folder: Folder of a run.
        network: Its float network, if that has been read.

    Raises:
        UserError: The file is damaged, or is not of the network in `config.toml`.
    """
    path = folder.qat_model
    read = read_keras(path)
    deployed = deploy_form(network or build_network(folder.settings().network))
    wanted = {
        layer.name: len(input_tensors(layer))
        for layer in deployed.layers
        if not isinstance(layer, keras.layers.InputLayer)
    }
    try:
        model = quantize_aware_again(
            deployed, _configs(read.config or {}, {PIXELS_NAME: 1, **wanted})
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(_unfit(path)) from error
    _fill(model, read.weights, path)
    return model


def _configs(config: Mapping[str, Any], inputs: Mapping[str, int]) -> dict[str, Int8Config]:
    """Return the ranges of every layer.

    Args:
        config: The configuration in the file.
        inputs: Layer name -> how many tensors it reads.

    Raises:
        KeyError, TypeError, ValueError: A layer or a number is missing or wrong.
    """
    stored = {
        layer["config"]["name"]: layer["config"]["quantize_config"]["config"]
        for layer in config["config"]["layers"]
        if layer["class_name"] != "InputLayer"
    }
    if set(stored) != set(inputs):
        raise ValueError
    return {name: _config(stored[name], count) for name, count in inputs.items()}


def _config(values: Mapping[str, Any], inputs: int) -> Int8Config:
    ranges = [*values["inputs"], values["output"]]
    # Files of earlier versions have no stored scales, and kernels of 8 bits only.
    flags = values["rounds"], values["per_channel"], values.get("stored_scale", False)
    bits = values.get("bits", 8)
    if type(bits) is not int or bits not in (4, 8):
        raise ValueError
    if len(ranges) != inputs + 1 or not all(type(flag) is bool for flag in flags):
        raise ValueError
    for low, high in ranges:
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError
    return Int8Config(ranges[:-1], ranges[-1], *flags, bits=bits)


def _fill(model: keras.Model, weights: Group, path: Path) -> None:
    """Assign the weights of a file to a network of the same structure."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.weights.h5"
        try:
            copy.write_bytes(h5_file(weights))
            model.load_weights(copy)
        except Exception as error:  # Keras raises anything where a shape or a layer differs
            raise UserError(_unfit(path)) from error


def _unfit(path: Path) -> str:
    return (
        f"{path} does not hold the network of config.toml beside it; it is damaged or comes from "
        "another run. Make it again."
    )
