"""How far a network has been adapted, in one file that a kill leaves whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text, parse_json, write_atomically
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.networks.channel_weights import weight_shapes
from mobilenet_tf.networks.lower import labelled
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.netadapt import State, Step

_FACTS_BYTES = 2**26  # of what is stored beside the weights


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What is stored beside the weights, except the network."""

    labels: tuple[str, ...]
    steps: tuple[Step, ...]


def save_state(path: Path, state: State) -> None:
    """Write a state to one `.npz` file, atomically.

    Raises:
        UserError: The file cannot be written.
    """
    facts = {"network": state.network.to_dict()} | to_plain(
        _Facts(labels=state.labels, steps=state.steps)
    )
    arrays: dict[str, Any] = {
        f"{layer}:{index}": array
        for layer, layer_arrays in state.weights.items()
        for index, array in enumerate(layer_arrays)
    }

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, facts=json_text(facts), **arrays)

    write_atomically(path, write)


def load_state(path: Path, start: Network) -> State:
    """Read what `save_state` wrote.

    Args:
        path: The file.
        start: The network that was adapted; the one in the file cannot be larger.

    Raises:
        UserError: The file is damaged, or of another network.
    """
    try:
        return _read(path, start)
    except Exception as error:  # NumPy and zipfile raise anything on damaged files
        raise UserError(
            f"{path} is damaged and cannot be read; restore it, or use --overwrite to adapt again."
        ) from error


def _read(path: Path, start: Network) -> State:
    most = 4 * sum(np.prod(shape) for shapes in weight_shapes(start).values() for shape in shapes)
    with open_regular(path, int(2 * most) + _FACTS_BYTES) as file, np.load(file) as stored:
        if sum(member.file_size for member in stored.zip.infolist()) > 2 * most + _FACTS_BYTES:
            raise ValueError("more arrays than the network has")
        values = parse_json(str(stored["facts"]), "facts")
        if not isinstance(values, Mapping):
            raise ValueError("no table")
        network = Network.from_dict(values["network"])
        if network.input != start.input or network.head[-1] != start.head[-1]:
            raise ValueError("another network")
        facts: _Facts = from_plain(_Facts, values, "facts")
        weights = {
            layer: [stored[f"{layer}:{index}"] for index in range(len(shapes))]
            for layer, shapes in weight_shapes(network).items()
        }
    for layer, shapes in weight_shapes(network).items():
        if [array.shape for array in weights[layer]] != shapes:
            raise ValueError(f"{layer} has other shapes")
        if any(array.dtype != np.float32 for array in weights[layer]):
            raise ValueError(f"{layer} is not float32")
    if len(facts.labels) != len(list(labelled(network))):
        raise ValueError("labels of other rows")
    if any(step.chosen >= len(step.tried) for step in facts.steps):
        raise ValueError("a step without its choice")
    return State(network, weights, facts.labels, facts.steps)
