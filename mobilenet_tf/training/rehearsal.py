"""A few steps of every phase of a training, from which the time of the whole is estimated."""

import time

import tf_keras as keras

_STEPS, _EPOCHS = 20, 2  # the first epoch also traces and compiles


class Rehearsal(keras.callbacks.Callback):
    """Limits of phases, and the clock that times their last epoch.

    Attributes:
        remaining: Seconds of training that each finished phase left out, without early stopping.
    """

    def __init__(self) -> None:
        super().__init__()
        self.remaining: list[float] = []

    def limits(self, epochs: int, steps: int) -> tuple[int, int]:
        """Return how many of a phase's epochs, and of their steps, are done."""
        self._whole = epochs, steps
        self._done = min(epochs, _EPOCHS), min(steps, _STEPS)
        return self._done

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._ends = [time.monotonic()]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Note the end of a step."""
        self._ends.append(time.monotonic())

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Estimate what the phase left out: steps of its epochs, and whole epochs."""
        first, *ends = self._ends if len(self._ends) == 2 else self._ends[1:]
        step = (ends[-1] - first) / len(ends)
        (epochs, steps), (done, timed) = self._whole, self._done
        rest = time.monotonic() - self._ends[0] - timed * step  # validation and checkpoint
        shortened, omitted = done * (steps - timed) * step, (epochs - done) * (steps * step + rest)
        self.remaining.append(shortened + omitted)
