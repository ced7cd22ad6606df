"""Run a `.tflite` on uint8 pixels with LiteRT, without TensorFlow.

A table of 256 entries per channel maps pixel values to values of the network's input, whatever
its type. For this project's files, whose input scale and zero point are the normalisation, the
table is the identity (uint8) or pixel - 128 (int8), and no float arithmetic takes place.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.outputs import Outputs, each, one_or_all
from mobilenet_tf.deployment.tflite.ends import checked_ends, picture_shape, scores_index
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.guard import GuardedInterpreter, load_interpreter
from mobilenet_tf.deployment.tflite.metadata import read_metadata
from mobilenet_tf.deployment.tflite.parse import computed_by, parse_model, read_file
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo, tensor_info

log = logging.getLogger(__name__)

_FEWEST_LEVELS = 32  # of 256; a table of inputs with fewer is a mistake in the metadata


class TFLiteModel:
    """A `.tflite` with one picture as input: pixels in, outputs of a task out.

    What it returns for N pictures is an array (N, ...), or a tuple of such arrays, in the order of
    the file, if it has several outputs. An output whose values lie along one axis is (N, values).

    Attributes:
        name: Name by which errors refer to the file.
        input: `TensorInfo` of the input.
        outputs: `TensorInfo` of each output.
        shapes: Shape of each output for one picture.
        scores: Of each output the integer tensor from which a float output is dequantized;
            otherwise the output.
        metadata: `Metadata` of the file.
        classes: Number of values of the last axis of the only output, or two that a single sigmoid
            separates; of several outputs the number of labels.
        labels: One label per class, or None.

    Args:
        source: Path, or the content of the file.
        threads: Number of CPU threads.
        delegate: Whether to run on XNNPACK, the default of phones, or on the built-in kernels.
        preserve_tensors: Whether to keep all intermediate results for `activations`. They become
            outputs of the graph, so the same kernels compute them as without this option.
        mean: Mean of the normalisation, for a file whose metadata has none: one value, or one per
            channel.
        std: The same for the standard deviation.
        trusted: Whether LiteRT may run in this process: only for what this process converted
            itself. It runs any other file in a child process, see `guard`.

    Raises:
        UserError: The file is absent, not a `.tflite`, cut short, or has no picture as its only
            input, or its number of labels differs from its number of classes, or LiteRT cannot run
            it.
    """

    def __init__(
        self,
        source: str | Path | bytes,
        threads: int = 1,
        delegate: bool = True,
        *,
        preserve_tensors: bool = False,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        trusted: bool = False,
    ):
        content, self.name = read_file(source)
        parsed = parse_model(content, self.name)
        graph = parsed.subgraphs[0]
        self.metadata = read_metadata(content, self.name)
        self._mean = self.metadata.mean if mean is None else mean
        self._std = self.metadata.std if std is None else std
        self.input, self.outputs = checked_ends(graph, self.name)
        self.shapes = [picture_shape(self.input, one, self.name) for one in self.outputs]
        self._input_index = int(graph.inputs[0])
        self._output_indices = [int(index) for index in graph.outputs]
        self.labels = self.metadata.labels
        self._sigmoid = (
            self.shapes == [(1,)] and computed_by(parsed, self._output_indices[0]) == "LOGISTIC"
        )
        self.classes = self._checked_classes()
        self._shift = 128 if self.input.dtype == "int8" else 0
        self._tensors = [tensor_info(tensor) for tensor in graph.tensors]
        self._results = [int(i) for op in graph.operators for i in op.outputs]
        self.scores = tuple(
            self._tensors[scores_index(graph, index)] for index in self._output_indices
        )
        self._preserve_tensors = preserve_tensors
        runnable = with_all_outputs(content) if preserve_tensors else content
        self._interpreter = load_interpreter(
            runnable, self.name, threads, delegate, trusted=trusted
        )

    @property
    def output(self) -> TensorInfo:
        """The only output.

        Raises:
            UserError: There are several.
        """
        if len(self.outputs) != 1:
            raise UserError(f"{self.name} has {len(self.outputs)} outputs; one is needed.")
        return self.outputs[0]

    def _checked_classes(self) -> int:
        """Return the number of classes, which must be that of the labels if there are any."""
        if len(self.outputs) > 1:
            return len(self.labels or ())
        classes = 2 if self._sigmoid else self.shapes[0][-1]
        if self.labels is not None and len(self.labels) != classes:
            what = f"{classes} classes"
            if self._sigmoid:
                what = "the two classes that its one score per image separates"
            raise UserError(f"{self.name} has {len(self.labels)} labels for {what}.")
        return classes

    def _normalisation(self, values: float | Sequence[float], what: str) -> np.ndarray:
        """Return mean or std as one finite value, or one per channel."""
        found = np.asarray(values, np.float64).reshape(-1)
        wrong = not np.isfinite(found).all() or (what == "std" and (found == 0).any())
        if wrong or len(found) not in (1, self.input.shape[3]):
            accepted = "finite numbers" + (" other than 0" if what == "std" else "")
            raise UserError(
                f"{self.name}: {what} is {', '.join(f'{v:g}' for v in found[:4]) or 'empty'}; "
                f"{accepted} are needed, one or {self.input.shape[3]} of them."
            )
        return found

    @cached_property
    def _table(self) -> np.ndarray:
        """Value of the input for each pixel value and channel: (256, channels)."""
        pixels = np.arange(256.0)[:, None].repeat(self.input.shape[3], axis=1)
        mean, std = self._mean, self._std
        if self.input.dtype == "float32" and (mean is None or std is None):
            raise UserError(
                f"{self.name} has a float32 input and states no mean; give --mean and --std."
            )
        unscaled = self.input.dtype != "float32" and self.input.scale is None
        if unscaled or mean is None or std is None:
            # By convention the input of such files is the pixels, shifted if it is signed.
            return (pixels - self._shift).astype(self.input.dtype)
        real = (pixels - self._normalisation(mean, "mean")) / self._normalisation(std, "std")
        if self.input.dtype == "float32":
            return real.astype(np.float32)
        table = self.input.quantize(real)
        if len(np.unique(table, axis=0)) < _FEWEST_LEVELS:
            # Many tools write mean 0 and std 1 and mean the pixels.
            log.warning(
                "%s: with this mean and std almost all pixels would become the same input, so it "
                "receives raw pixels.",
                self.name,
            )
            return (pixels - self._shift).astype(self.input.dtype)
        return table

    @cached_property
    def pixels_are_inputs(self) -> bool:
        """Whether the input is raw pixels (uint8) or pixel - 128 (int8), value for value."""
        return bool((self._table == np.arange(256)[:, None] - self._shift).all())

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """Return the network's input for `pixels`, in the input's dtype.

        Raises:
            UserError: `pixels` is not uint8 (N, height, width, channels) of the input's size.
        """
        size = self.input.shape[1:]
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != size:
            raise UserError(
                f"The pixels are {pixels.dtype} {pixels.shape}; {self.name} takes uint8"
                f" (N, {', '.join(map(str, size))})."
            )
        if not self.pixels_are_inputs or self.input.dtype == "float32":
            return self._table[pixels, np.arange(size[2])]
        # Flipping the top bit subtracts 128.
        return pixels if self.input.dtype == "uint8" else (pixels ^ 0x80).view(np.int8)

    def run_raw(self, pixels: np.ndarray) -> Outputs:
        """Return the file's outputs as they are, in their dtypes.

        Args:
            pixels: uint8 (N, height, width, channels).

        Raises:
            UserError: See `prepare`.
        """
        inputs = self.prepare(pixels)
        batch = self.input.shape[0]
        batches = -(-len(inputs) // batch)
        if missing := batches * batch - len(inputs):
            filling = np.zeros_like(inputs, shape=(missing, *inputs.shape[1:]))
            inputs = np.concatenate([inputs, filling])
        inputs = inputs.reshape(batches, *self.input.shape)
        results = [
            np.empty((batches, batch * prod(shape)), output.dtype)
            for output, shape in zip(self.outputs, self.shapes, strict=True)
        ]
        if isinstance(self._interpreter, GuardedInterpreter):
            self._interpreter.run(inputs, self._input_index, self._output_indices, results)
        else:
            for number, part in enumerate(inputs):
                self._interpreter.set_tensor(self._input_index, part)
                self._interpreter.invoke()
                for result, index in zip(results, self._output_indices, strict=True):
                    result[number] = self._interpreter.get_tensor(index).reshape(-1)
        return one_or_all(
            result.reshape(-1, *shape)[: len(pixels)]
            for result, shape in zip(results, self.shapes, strict=True)
        )

    def run(self, pixels: np.ndarray) -> Outputs:
        """Return the file's outputs as float32; see `run_raw`."""
        return one_or_all(map(TensorInfo.dequantize, self.outputs, each(self.run_raw(pixels))))

    def real(self, raw: Outputs) -> Outputs:
        """Return the outputs of a task, float32, of what `run_raw` returned.

        A single sigmoid p is the score of the second of two classes, and 1 - p that of the first,
        so that the second is predicted where p > 0.5.
        """
        found = one_or_all(map(TensorInfo.dequantize, self.outputs, each(raw)))
        return np.hstack([1 - found, found]) if self._sigmoid else found

    def activations(self, pixels: np.ndarray) -> dict[str, tuple[TensorInfo, np.ndarray]]:
        """Return the result of every operator for one batch, in the order of execution.

        Args:
            pixels: uint8 (batch, height, width, channels) with the file's batch size.

        Returns:
            Tensor name -> its facts, and its values in its own dtype (`TensorInfo.dequantize`
            makes them float32).

        Raises:
            UserError: The model was loaded without `preserve_tensors`, or see `prepare`.
        """
        if not self._preserve_tensors:
            raise UserError("activations needs a model loaded with preserve_tensors=True.")
        self.run_raw(pixels)
        return {
            self._tensors[i].name: (self._tensors[i], self._interpreter.get_tensor(i))
            for i in self._results
        }


def with_all_outputs(content: bytes) -> bytes:
    """Return a file with the results of all operators as outputs, in order."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    graph.outputs = [int(i) for op in graph.operators for i in op.outputs]
    model.signatureDefs = None  # they refer to the former outputs
    return pack(model)
