"""Run a `.tflite` classifier on uint8 pixels with LiteRT, without TensorFlow.

Every input is served by one table of 256 entries per channel: what the network is to be given
for each pixel value. For this project's files, whose input scale and zero point are the
normalisation, the table is the identity (uint8) or pixel - 128 (int8), and no float is involved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import quiet
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.metadata import DAMAGE, read_metadata

DTYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if name[0] != "_"}
_RUNNABLE = ("uint8", "int8", "float32")


@dataclass(frozen=True)
class TensorInfo:
    """A tensor of the file.

    Attributes:
        name: as written by the converter.
        dtype: "uint8", "int8", "float32" and so on.
        shape: fixed sides, batch first.
        scale, zero_point: real = (integer - zero_point) * scale; None without quantization or
            if it is per channel.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None

    def dequantize(self, values: np.ndarray) -> np.ndarray:
        """float32 of the same shape."""
        if self.scale is None:
            return values.astype(np.float32)
        wide = values.astype(np.int32) - self.zero_point
        return wide.astype(np.float32) * np.float32(self.scale)

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """The nearest integers of the tensor's dtype, of the same shape; for a quantized one."""
        steps = np.rint(values.astype(np.float64) / self.scale) + self.zero_point
        limits = np.iinfo(self.dtype)
        return np.clip(steps, limits.min, limits.max).astype(self.dtype)


def read_file(source: str | Path | bytes) -> tuple[bytes, str]:
    """The bytes of a `.tflite`, and what to call it in a message.

    Raises:
        UserError: the file is absent or cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "The model"
    try:
        return Path(source).read_bytes(), str(source)
    except FileNotFoundError:
        raise UserError(f"{source} does not exist; a .tflite file is needed.") from None
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror or error}.") from error


def parse_model(data: bytes, called: str = "The model") -> schema.ModelT:
    """Unpack a `.tflite` and check its references; weights stay views of `data`.

    Raises:
        UserError: it is no `.tflite`, or it is cut short or damaged.
    """
    if data[4:8] != b"TFL3":
        raise UserError(f"{called} is not a .tflite file: it lacks the mark TFL3 at byte 4.")
    try:
        # Reads every field of every table, so a file that ends too early cannot pass.
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        _check_references(model)
    except DAMAGE as error:
        raise UserError(
            f"{called} is cut short or damaged after {len(data)} bytes; copy or export it again."
        ) from error
    return model


def _check_references(model: schema.ModelT) -> None:
    """Raise IndexError where the model points at what it does not have."""
    if not model.subgraphs:
        raise IndexError("no subgraph")
    for graph in model.subgraphs:
        graph.operators = graph.operators or []
        used = [graph.inputs, graph.outputs]
        for op in graph.operators:
            op.inputs = () if op.inputs is None else op.inputs
            op.outputs = () if op.outputs is None else op.outputs
            used += [op.inputs, op.outputs]
            model.operatorCodes[op.opcodeIndex]
        if not all(-1 <= index < len(graph.tensors) for indices in used for index in indices):
            raise IndexError("tensor")
        for tensor in graph.tensors:
            model.buffers[tensor.buffer]
    for entry in model.metadata or []:
        model.buffers[entry.buffer]


def tensor_info(tensor: schema.TensorT) -> TensorInfo:
    """The facts of one tensor of a parsed model; -1 stands for a side that is not fixed."""
    shape = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    scale = getattr(tensor.quantization, "scale", None)
    whole = scale is not None and len(scale) == 1
    zero_point = getattr(tensor.quantization, "zeroPoint", None)
    return TensorInfo(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        dtype=DTYPES.get(tensor.type, str(tensor.type)),
        shape=() if shape is None else tuple(int(side) for side in shape),
        scale=float(scale[0]) if whole else None,
        zero_point=(0 if zero_point is None else int(zero_point[0])) if whole else None,
    )


class TFLiteModel:
    """A classifier: pixels in, scores out.

    Attributes:
        input, output: `TensorInfo`.
        scores: the integer tensor that a float output is widened from; else the output.
        metadata: what the file says of itself.
        labels: one per class, or None.

    Args:
        source: a path, or the file's bytes.
        threads: of the CPU.
        delegate: run on XNNPACK, the default of phones; False takes the runtime's own kernels.
        preserve_tensors: keep every intermediate result for `activations`, by making outputs of
            them: the kernels stay those that serve the file otherwise.
        mean, std: for a file whose metadata has none; a value, or one per channel.

    Raises:
        UserError: the file is absent, no `.tflite`, cut short, or no classifier of pictures, or
            its labels are not one per class.
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
    ):
        data, self.called = read_file(source)
        graph = parse_model(data, self.called).subgraphs[0]
        self.metadata = read_metadata(data, self.called)
        self._mean = self.metadata.mean if mean is None else mean
        self._std = self.metadata.std if std is None else std
        self.input, self.output = self._ends(graph)
        self.labels, classes = self.metadata.labels, prod(self.output.shape[1:])
        if self.labels is not None and len(self.labels) != classes:
            raise UserError(f"{self.called} has {len(self.labels)} labels for {classes} classes.")
        self._shift = 128 if self.input.dtype == "int8" else 0
        self._input_index, self._output_index = int(graph.inputs[0]), int(graph.outputs[0])
        self._tensors = [tensor_info(tensor) for tensor in graph.tensors]
        self._produced = [int(i) for op in graph.operators for i in op.outputs]
        last = next((op for op in graph.operators if self._output_index in op.outputs), None)
        widened = self.output.scale is None and last is not None and len(last.inputs) == 1
        self.scores = self._tensors[last.inputs[0]] if widened else self.output
        self._preserved = preserve_tensors
        self._interpreter = load_interpreter(
            _with_all_outputs(data) if preserve_tensors else data, self.called, threads, delegate
        )

    def _ends(self, graph) -> tuple[TensorInfo, TensorInfo]:
        """Input and output, after checking that this class can serve them."""
        for ends, what in ((graph.inputs, "inputs"), (graph.outputs, "outputs")):
            if len(ends) != 1:
                raise UserError(f"{self.called} has {len(ends)} {what}; one is needed.")
        ends = [tensor_info(graph.tensors[i]) for i in (graph.inputs[0], graph.outputs[0])]
        for end in ends:
            if any(side < 1 for side in end.shape):
                raise UserError(
                    f"{self.called}: tensor {end.name} has the shape {end.shape}, which is not"
                    " fixed; export it with batch, height and width given."
                )
            if end.dtype not in _RUNNABLE:
                raise UserError(
                    f"{self.called}: tensor {end.name} is {end.dtype}; {', '.join(_RUNNABLE)}"
                    " are served."
                )
        if len(ends[0].shape) != 4:
            raise UserError(
                f"{self.called} takes an input of shape {ends[0].shape}; a picture"
                " (batch, height, width, channels) is needed."
            )
        return ends[0], ends[1]

    @cached_property
    def _table(self) -> np.ndarray:
        """(256, channels): what the network is given for each pixel value."""
        pixels = np.arange(256.0)[:, None].repeat(self.input.shape[3], axis=1)
        known = self._mean is not None and self._std is not None
        if self.input.dtype == "float32" and not known:
            raise UserError(
                f"{self.called} has a float32 input and no mean and std in its metadata; give both."
            )
        if self.input.dtype != "float32" and (not known or self.input.scale is None):
            # The custom where nothing is stated: pixels, shifted if signed.
            return (pixels - self._shift).astype(self.input.dtype)
        real = (pixels - np.asarray(self._mean, np.float64)) / np.asarray(self._std, np.float64)
        if self.input.dtype == "float32":
            return real.astype(np.float32)
        return self.input.quantize(real)

    @cached_property
    def pixels_are_inputs(self) -> bool:
        """Whether the input takes raw pixels (uint8) or pixel - 128 (int8), value for value."""
        return bool((self._table == np.arange(256)[:, None] - self._shift).all())

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """What the network is given for `pixels`, in the input's dtype.

        Raises:
            UserError: `pixels` is not uint8 (N, height, width, channels) of the input's size.
        """
        size = self.input.shape[1:]
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != size:
            raise UserError(
                f"Pixels of {pixels.dtype} {pixels.shape} were given; {self.called} takes uint8"
                f" (N, {', '.join(map(str, size))})."
            )
        if not self.pixels_are_inputs or self.input.dtype == "float32":
            return self._table[pixels, np.arange(size[2])]
        # Flipping the top bit subtracts 128.
        return pixels if self.input.dtype == "uint8" else (pixels ^ 0x80).view(np.int8)

    def run_raw(self, pixels: np.ndarray) -> np.ndarray:
        """The output as the file has it: (N, classes) in the output's dtype.

        Args:
            pixels: uint8 (N, height, width, channels).

        Raises:
            UserError: see `prepare`.
        """
        inputs = self.prepare(pixels)
        batch, *size = self.input.shape
        scores = np.empty((len(inputs), prod(self.output.shape[1:])), self.output.dtype)
        for start in range(0, len(inputs), batch):
            part = inputs[start : start + batch]
            count = len(part)
            if count < batch:
                part = np.concatenate([part, np.zeros_like(inputs, shape=(batch - count, *size))])
            self._interpreter.set_tensor(self._input_index, part)
            self._interpreter.invoke()
            result = self._interpreter.get_tensor(self._output_index)
            scores[start : start + count] = result.reshape(batch, -1)[:count]
        return scores

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Scores as float32 (N, classes); see `run_raw`."""
        return self.output.dequantize(self.run_raw(pixels))

    def activations(self, pixels: np.ndarray) -> dict[str, tuple[TensorInfo, np.ndarray]]:
        """Every operator's result for one batch, in the order of execution.

        Args:
            pixels: uint8 (batch, height, width, channels), batch as in the file.

        Returns:
            Tensor name -> its facts, and its values in its own dtype (`TensorInfo.dequantize`
            makes them float32).

        Raises:
            UserError: the model was loaded without `preserve_tensors`, or see `prepare`.
        """
        if not self._preserved:
            raise UserError("activations need a model loaded with preserve_tensors=True.")
        self.run_raw(pixels)
        return {
            self._tensors[i].name: (self._tensors[i], self._interpreter.get_tensor(i))
            for i in self._produced
        }


def _with_all_outputs(data: bytes) -> bytes:
    """The same model whose operators' results are all outputs of the graph, in order."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    graph.outputs = [int(i) for op in graph.operators for i in op.outputs]
    model.signatureDefs = None  # they name the outputs that were
    return pack(model)


def load_interpreter(data: bytes, called: str, threads: int = 1, delegate: bool = True):
    """A LiteRT interpreter with its memory allocated.

    Raises:
        UserError: LiteRT refuses the model, or lacks one of its operators.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with quiet():
            interpreter = Interpreter(
                model_content=data,
                num_threads=threads,
                experimental_op_resolver_type=OpResolverType.AUTO if delegate else plain,
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"{called} cannot be run by LiteRT: {reason}.") from error
    return interpreter
