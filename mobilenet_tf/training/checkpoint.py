"""Checkpoint of a training phase in one file, so that a kill loses at most one epoch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text, parse_json, write_atomically
from mobilenet_tf.core.reading import open_regular
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.core.settings import number

History = dict[str, list[float]]  # metric -> one value per epoch
_FACTS_BYTES = 2**24  # of what a checkpoint holds beside its arrays, with their headers


@dataclass
class State:
    """Progress of a training phase.

    Attributes:
        epoch: Number of finished epochs.
        history: Metrics of the finished epochs.
        best: Weights with the lowest validation loss so far, or None before the first epoch.
        best_loss: Validation loss of `best`.
        rising: Number of first epochs that leave fewer zeros than the last ones. They do not
            compete with those: the latest is the best.
    """

    epoch: int = 0
    history: History = field(default_factory=dict)
    best: list[np.ndarray] | None = None
    best_loss: float = np.inf
    rising: int = 0

    def ended(self, epochs: int, patience: int) -> bool:
        """Return whether all epochs are done, or early stopping applies.

        Args:
            epochs: Number of epochs of the phase.
            patience: Number of epochs without a lower validation loss after which training stops;
                0 disables early stopping.
        """
        losses = self.history.get("val_loss", [])[self.rising :]
        waited = len(losses) - int(np.argmin(losses)) - 1 if losses else 0
        return self.epoch >= epochs or 0 < patience <= waited


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What is stored beside the arrays. JSON has no infinity and no NaN: they are None."""

    epoch: int = number(least=0, most=2**16)
    history: dict[str, tuple[float | None, ...]]
    best_loss: float | None
    fingerprint: str


def save(path: Path, state: State, model: keras.Model, fingerprint: str) -> None:
    """Write weights, optimizer, best weights and history to one `.npz` file, atomically.

    Raises:
        UserError: The file cannot be written.
    """
    arrays: dict[str, Any] = {}
    groups = {"weight": model.get_weights(), "best": state.best or []}
    groups["optimizer"] = [variable.numpy() for variable in model.optimizer.variables]
    for name, values in groups.items():
        arrays |= {f"{name}_{index}": value for index, value in enumerate(values)}
    facts = _Facts(
        epoch=state.epoch,
        history={name: tuple(values) for name, values in state.history.items()},
        best_loss=state.best_loss,
        fingerprint=fingerprint,
    )

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, facts=json_text(asdict(facts)), **arrays)

    write_atomically(path, write)


def restore(path: Path, model: keras.Model, fingerprint: str) -> State:
    """Load a checkpoint into a compiled model and its optimizer.

    Args:
        path: Checkpoint; it need not exist.
        model: Compiled model whose optimizer is built.
        fingerprint: Fingerprint of the current data and settings.

    Returns:
        The saved state, or a new one if there is no checkpoint.

    Raises:
        UserError: The checkpoint has another fingerprint, or is damaged.
    """
    if not path.exists():
        return State()
    try:
        return _read(path, model, fingerprint)
    except _OtherData:
        raise
    except Exception as error:  # NumPy and zipfile raise anything on damaged files
        raise UserError(
            f"{path} is damaged and cannot be read; delete it, and this training starts again."
        ) from error


class _OtherData(UserError):
    """A checkpoint is whole, but belongs to other images or settings."""


def _read(path: Path, model: keras.Model, fingerprint: str) -> State:
    optimizer = model.optimizer.variables
    most = 2 * _bytes(model.variables) + _bytes(optimizer) + _FACTS_BYTES
    with open_regular(path, most) as file, np.load(file) as stored:
        if sum(member.file_size for member in stored.zip.infolist()) > most:
            raise ValueError("more arrays than the model has")
        facts = from_plain(_Facts, parse_json(str(stored["facts"]), "facts"), "facts")
        if facts.fingerprint != fingerprint:
            raise _OtherData(
                f"{path} was written with other images or settings than the current ones; "
                "use --overwrite to start again."
            )
        if any(len(values) != facts.epoch for values in facts.history.values()):
            raise ValueError("curves of another length")

        def group(name: str) -> list[np.ndarray]:
            count = sum(key.startswith(f"{name}_") for key in stored.files)
            return [stored[f"{name}_{index}"] for index in range(count)]

        model.set_weights(group("weight"))
        for variable, value in zip(optimizer, group("optimizer"), strict=True):
            variable.assign(value)
        best = group("best") or None
    history = {
        name: [np.nan if value is None else value for value in values]
        for name, values in facts.history.items()
    }
    return State(facts.epoch, history, best, np.inf if facts.best_loss is None else facts.best_loss)


def _bytes(variables: Sequence[Any]) -> int:
    return sum(variable.shape.num_elements() * variable.dtype.size for variable in variables)
