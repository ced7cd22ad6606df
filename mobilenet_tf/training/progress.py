"""A live line per stage: epoch, accuracy, pictures per second, time left."""

import time

import tf_keras as keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mobilenet_tf.console import console


class EpochProgress(keras.callbacks.Callback):
    """Shows training on the terminal; in a log file, one line per epoch.

    Attributes:
        title: what is trained.
        epochs: in all.
        batch: pictures per step.
    """

    def __init__(self, title: str, epochs: int, batch: int):
        super().__init__()
        self.title, self.epochs, self.batch = title, epochs, batch
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def on_train_begin(self, logs=None):
        self.per_epoch = self.params["steps"]
        total = self.epochs * self.per_epoch
        self.task = self.bar.add_task(self.title, total=total, note="")
        self.bar.start()

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic()
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        rate = (batch + 1) * self.batch / max(time.monotonic() - self.started, 1e-6)
        note = f"epoch {self.epoch + 1}/{self.epochs}  {rate:.0f} pictures/s"
        done = self.epoch * self.per_epoch + batch + 1
        self.bar.update(self.task, completed=done, note=note)

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self.started
        console.print(
            f"{self.title} {epoch + 1:3d}/{self.epochs}  loss {logs['loss']:.3f}  "
            f"accuracy {logs['accuracy']:.3f}  validation {logs['val_accuracy']:.3f}  "
            f"{seconds:.1f} s",
            highlight=False,
        )

    def on_train_end(self, logs=None):
        self.bar.stop()
