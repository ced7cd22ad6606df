"""What happens after each epoch besides training: state kept, progress shown."""

import time
from pathlib import Path

import tf_keras as keras

from mobilenet_tf.core.errors import Diverged
from mobilenet_tf.core.progress import bar
from mobilenet_tf.core.terminal import console
from mobilenet_tf.training.checkpoint import State, save


class KeepState(keras.callbacks.Callback):
    """History, best weights and the checkpoint.

    Attributes:
        state: brought up to date after each epoch.
        path: where it is saved.
        fingerprint: of the data and settings that it belongs to.
        patience: epochs without a better validation loss that end training; 0: never.
        validated: has the weights that validation is made with: the model's, or their average.
    """

    def __init__(self, state: State, path: Path, fingerprint: str, patience: int, validated):
        super().__init__()
        self.state, self.path, self.fingerprint = state, path, fingerprint
        self.patience, self.validated = patience, validated
        self.started = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        if not abs(logs["loss"]) < float("inf"):
            raise Diverged("The loss is not finite; use a lower learning rate.")
        rate = float(self.model.optimizer.learning_rate.numpy())
        facts = {"learning_rate": rate, "seconds": round(time.monotonic() - self.started, 2)}
        for name, value in {**logs, **facts}.items():
            self.state.history.setdefault(name, []).append(float(value))
        # Not accuracy: on a few hundred pictures it is the same in many epochs by chance.
        if self.state.best is None or logs["val_loss"] < self.state.best_loss:
            self.state.best = self.validated.get_weights()
            self.state.best_loss = float(logs["val_loss"])
        self.state.epoch = epoch + 1
        save(self.path, self.state, self.model, self.fingerprint)
        self.model.stop_training = self.state.ended(self.params["epochs"], self.patience)


class EpochProgress(keras.callbacks.Callback):
    """A progress bar over all epochs, and a line for each that is done.

    Attributes:
        title: what is trained.
        epochs: in all.
        batch: pictures per step.
    """

    def __init__(self, title: str, epochs: int, batch: int):
        super().__init__()
        self.title, self.epochs, self.batch = title, epochs, batch

    def on_train_begin(self, logs=None):
        self.steps = self.params["steps"]
        self.bar = bar()
        self.task = None
        self.bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.started = epoch, time.monotonic()
        if self.task is None:  # begun here, or epochs of an earlier process would count as speed
            total, done = self.epochs * self.steps, epoch * self.steps
            self.task = self.bar.add_task(self.title, total=total, completed=done, note="")

    def on_train_batch_end(self, batch, logs=None):
        rate = (batch + 1) * self.batch / max(time.monotonic() - self.started, 1e-6)
        note = f"epoch {self.epoch + 1}/{self.epochs}  {rate:.0f} pictures/s"
        self.bar.update(self.task, completed=self.epoch * self.steps + batch + 1, note=note)

    def on_epoch_end(self, epoch, logs=None):
        console.print(
            f"{self.title} {epoch + 1:3d}/{self.epochs}  loss {logs['loss']:.3f}  "
            f"accuracy {logs['accuracy']:.3f}  validation {logs['val_accuracy']:.3f}  "
            f"{time.monotonic() - self.started:.1f} s",
            highlight=False,
        )

    def on_train_end(self, logs=None):
        self.bar.stop()
