"""Training curves as a CSV file and as events for TensorBoard.

Both repeat the history of the checkpoint. They are rewritten from it when training begins, so that
no epoch is missing or recorded twice after a kill.
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
    """Write `FOLDER.csv`, and TensorBoard's events below `FOLDER`, after each epoch.

    Attributes:
        state: State whose history is written; an earlier callback updates it.
        folder: Folder of the events, such as `runs/NAME/logs/float`.
        writers: Event writers of training and validation, by name of their folder.
    """

    def __init__(self, state: State, folder: Path):
        super().__init__()
        self.state, self.folder = state, folder
        shutil.rmtree(folder, ignore_errors=True)
        self.writers: dict[str, tf.summary.SummaryWriter] = {}
        for epoch in range(state.epoch):
            self._add_events(epoch)
        self._write_csv()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch.

        Raises:
            UserError: A file cannot be written.
        """
        self._add_events(epoch)
        self._write_csv()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Close the event files."""
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
        """Add an epoch with the names of Keras's TensorBoard callback, which cannot resume."""
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
