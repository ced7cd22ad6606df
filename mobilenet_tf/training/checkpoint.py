"""Checkpoint of a training phase in one file, so that a kill loses at most one epoch."""

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically

History = dict[str, list[float]]  # metric -> one value per epoch


@dataclass
class State:
    """Progress of a training phase.

    Attributes:
        epoch: Number of finished epochs.
        history: Metrics of the finished epochs.
        best: Weights with the lowest validation loss so far, or None before the first epoch.
        best_loss: Validation loss of `best`.
    """

    epoch: int = 0
    history: History = field(default_factory=dict)
    best: list[np.ndarray] | None = None
    best_loss: float = np.inf

    def ended(self, epochs: int, patience: int) -> bool:
        """Return whether all epochs are done, or early stopping applies.

        Args:
            epochs: Number of epochs of the phase.
            patience: Number of epochs without a lower validation loss after which training stops;
                0 disables early stopping.
        """
        losses = self.history.get("val_loss", [])
        waited = len(losses) - int(np.argmin(losses)) - 1 if losses else 0
        return self.epoch >= epochs or 0 < patience <= waited


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
    facts = {
        "epoch": state.epoch,
        "history": state.history,
        "best_loss": state.best_loss,
        "fingerprint": fingerprint,
    }

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, facts=json.dumps(facts), **arrays)

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
    except UserError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, TypeError, ValueError):
        raise UserError(
            f"{path} is damaged and cannot be read; delete it, and this training starts again."
        ) from None


def _read(path: Path, model: keras.Model, fingerprint: str) -> State:
    with np.load(path) as file:
        facts = json.loads(str(file["facts"]))
        if facts["fingerprint"] != fingerprint:
            raise UserError(
                f"{path} was written with other images or settings than the current ones; "
                "use --overwrite to start again."
            )

        def group(name: str) -> list[np.ndarray]:
            count = sum(key.startswith(f"{name}_") for key in file.files)
            return [file[f"{name}_{index}"] for index in range(count)]

        model.set_weights(group("weight"))
        for variable, value in zip(model.optimizer.variables, group("optimizer"), strict=True):
            variable.assign(value)
        best = group("best") or None
        return State(facts["epoch"], facts["history"], best, facts["best_loss"])
