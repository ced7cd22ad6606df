"""Callbacks that save the state of training and show its progress after each epoch."""

import time
from pathlib import Path

import tf_keras as keras
from rich.progress import TaskID

from mobilenet_tf.core.errors import Diverged
from mobilenet_tf.core.progress import bar
from mobilenet_tf.core.terminal import console
from mobilenet_tf.training.average import Average
from mobilenet_tf.training.checkpoint import State, save

Metrics = dict[str, float]


class SaveState(keras.callbacks.Callback):
    """Update history and best weights after each epoch, save them, and stop early.

    Attributes:
        state: State that is updated after each epoch.
        path: File that the state is saved to.
        fingerprint: Fingerprint of the data and settings, saved with the state.
        patience: Number of epochs without a lower validation loss after which training stops;
            0 disables early stopping.
        validated: Source of the weights that are validated: the model, or the average of its
            weights.
    """

    def __init__(
        self,
        state: State,
        path: Path,
        fingerprint: str,
        patience: int,
        validated: keras.Model | Average,
    ):
        super().__init__()
        self.state, self.path, self.fingerprint = state, path, fingerprint
        self.patience, self.validated = patience, validated
        self.started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Metrics | None = None) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Metrics) -> None:
        """Save the state.

        Raises:
            Diverged: The loss is NaN or infinite.
        """
        if not abs(logs["loss"]) < float("inf"):
            raise Diverged(
                "Training diverged: the loss is NaN or infinite. Use a lower learning rate."
            )
        rate = float(self.model.optimizer.learning_rate.numpy())
        extra = {"learning_rate": rate, "seconds": round(time.monotonic() - self.started, 2)}
        for name, value in {**logs, **extra}.items():
            self.state.history.setdefault(name, []).append(float(value))
        # By loss, because with a few hundred images many epochs have the same accuracy by chance.
        rising = epoch < self.state.rising
        if self.state.best is None or logs["val_loss"] < self.state.best_loss or rising:
            self.state.best = self.validated.get_weights()
            self.state.best_loss = float("inf") if rising else float(logs["val_loss"])
        self.state.epoch = epoch + 1
        save(self.path, self.state, self.model, self.fingerprint)
        self.model.stop_training = self.state.ended(self.params["epochs"], self.patience)


class EpochProgress(keras.callbacks.Callback):
    """Show one progress bar for all epochs, and print a line after each of them.

    Attributes:
        title: Text in front of the bar.
        epochs: Number of epochs, including those of an earlier process.
        batch: Number of images per step.
        curve: Metric that is printed with the loss.
    """

    def __init__(self, title: str, epochs: int, batch: int, curve: str):
        super().__init__()
        self.title, self.epochs, self.batch, self.curve = title, epochs, batch, curve

    def on_train_begin(self, logs: Metrics | None = None) -> None:
        """Show an empty bar."""
        self.steps = self.params["steps"]
        self.bar = bar()
        self.task: TaskID | None = None
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Metrics | None = None) -> None:
        """Start the bar with the first epoch of this process."""
        self.epoch, self.started = epoch, time.monotonic()
        if self.task is None:  # not earlier: finished epochs would count as speed
            total, done = self.epochs * self.steps, epoch * self.steps
            self.task = self.bar.add_task(self.title, total=total, completed=done, note="")

    def on_train_batch_end(self, batch: int, logs: Metrics | None = None) -> None:
        """Advance the bar by a step."""
        rate = (batch + 1) * self.batch / max(time.monotonic() - self.started, 1e-6)
        assert self.task is not None  # made by on_epoch_begin
        note = f"epoch {self.epoch + 1}/{self.epochs}  {rate:.0f} images/s"
        self.bar.update(self.task, completed=self.epoch * self.steps + batch + 1, note=note)

    def on_epoch_end(self, epoch: int, logs: Metrics) -> None:
        """Print the loss and the metric."""
        console.print(
            f"{self.title} {epoch + 1:3d}/{self.epochs}  loss {logs['loss']:.3f}  "
            f"{self.curve} {logs[self.curve]:.3f}  validation {logs[f'val_{self.curve}']:.3f}  "
            f"{time.monotonic() - self.started:.1f} s",
            highlight=False,
        )

    def on_train_end(self, logs: Metrics | None = None) -> None:
        """Remove the bar."""
        self.bar.stop()
