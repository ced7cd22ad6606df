"""A trained model as the exports for devices receive it."""

from dataclasses import dataclass

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.compressed.compress import NONE
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK
from mobilenet_tf.tasks.task import Task

PREFIX = "model"


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Model:
    """An int8 file and what describes it.

    Attributes:
        content: The `.tflite`, with int8 input and output.
        network: The network that it was converted from.
        task: What it is for.
        labels: Names of the classes, in the order of the outputs.
        title: Title for the files that are written.
        pictures: uint8 (N, h, w, c), real pictures at the size of the input, for the comparison of
            runtimes and the self-test of a microcontroller. Other targets need none.
        prefix: What names begin with in a folder of C.
        compress: How kernels are stored for a microcontroller; see `compress_weights`.
        origin: Identity of the run that it comes from; empty if that is unknown.
    """

    content: bytes
    network: Network
    labels: tuple[str, ...]
    title: str
    task: Task = DEFAULT_TASK
    pictures: np.ndarray | None = None
    prefix: str = PREFIX
    compress: str = NONE
    origin: str = ""

    def reference(self) -> TFLiteModel:
        """Return LiteRT's execution of the file, for comparison with that of a microcontroller.

        Raises:
            UserError: Its input is not pixel - 128.
        """
        found = TFLiteModel(self.content)
        if found.input.dtype != "int8" or not found.pixels_are_inputs:
            raise UserError(
                f"{self.title}: its input is not pixel - 128 as int8, so it has no C form here."
            )
        return found
