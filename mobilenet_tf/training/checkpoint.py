"""The state of a training stage in one file, so that a kill costs no more than an epoch."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically


@dataclass
class State:
    """Where a stage stands.

    Attributes:
        epoch: epochs that are done.
        history: metric -> value per epoch.
        best: the weights with the lowest validation loss so far, or None.
        best_loss: that loss.
    """

    epoch: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best: list[np.ndarray] | None = None
    best_loss: float = np.inf

    def ended(self, epochs: int, patience: int) -> bool:
        """Whether nothing is left to do: all epochs, or `patience` without a better loss."""
        losses = self.history.get("val_loss", [])
        waited = len(losses) - int(np.argmin(losses)) - 1 if losses else 0
        return self.epoch >= epochs or 0 < patience <= waited


def save(path: Path, state: State, model: keras.Model, fingerprint: str) -> None:
    """Write weights, optimizer, best weights and history as one `.npz`, atomically."""
    arrays = {}
    groups = {"weight": model.get_weights(), "best": state.best}
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
    """Put a saved state into a compiled model and its optimizer; a new state if there is none.

    Raises:
        UserError: the file belongs to other data or another network.
    """
    if not path.exists():
        return State()
    with np.load(path) as file:
        facts = json.loads(str(file["facts"]))
        if facts["fingerprint"] != fingerprint:
            raise UserError(
                f"{path} was written with other pictures or settings than those of now; "
                "use --overwrite to start anew."
            )

        def group(name: str) -> list[np.ndarray]:
            count = sum(key.startswith(f"{name}_") for key in file.files)
            return [file[f"{name}_{index}"] for index in range(count)]

        model.set_weights(group("weight"))
        for variable, value in zip(model.optimizer.variables, group("optimizer"), strict=True):
            variable.assign(value)
        return State(facts["epoch"], facts["history"], group("best"), facts["best_loss"])
