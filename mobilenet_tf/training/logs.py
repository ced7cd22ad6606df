"""The curves of a stage for other programs: a CSV file, and events for TensorBoard.

Both are copies of the history in the checkpoint and are brought up to it when training begins, so
that after a kill no epoch is missing or there twice.
"""

import csv
import io
import shutil
from pathlib import Path

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.training.checkpoint import State


class Logs(keras.callbacks.Callback):
    """Writes `FOLDER.csv` and, below `FOLDER`, TensorBoard's events after each epoch.

    Attributes:
        state: whose history is written; another callback brings it up to date before.
        folder: such as `runs/NAME/logs/float`.
    """

    def __init__(self, state: State, folder: Path):
        super().__init__()
        self.state, self.folder = state, folder
        shutil.rmtree(folder, ignore_errors=True)
        self.writers = {}
        for epoch in range(state.epoch):
            self._add_events(epoch)
        self._write_csv()

    def on_epoch_end(self, epoch, logs=None):
        self._add_events(epoch)
        self._write_csv()

    def on_train_end(self, logs=None):
        for writer in self.writers.values():
            writer.close()

    def _write_csv(self) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *self.state.history])
        for epoch, values in enumerate(zip(*self.state.history.values(), strict=True)):
            writer.writerow([epoch + 1, *values])
        write_text(self.folder.with_suffix(".csv"), text.getvalue())

    def _add_events(self, epoch: int) -> None:
        """As Keras's own TensorBoard callback names them, which cannot resume."""
        for metric, values in self.state.history.items():
            part = "validation" if metric.startswith("val_") else "train"
            try:
                if part not in self.writers:
                    self.writers[part] = tf.summary.create_file_writer(str(self.folder / part))
                with self.writers[part].as_default():
                    name = f"epoch_{metric.removeprefix('val_')}"
                    tf.summary.scalar(name, values[epoch], step=epoch + 1)
            except (OSError, tf.errors.OpError) as error:
                raise UserError(f"{self.folder / part} cannot be written: {error}") from error
        for writer in self.writers.values():
            writer.flush()
