"""Files with one operator, of any shape and quantization, and networks as C without a run."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.outputs import side_by_side
from mobilenet_tf.deployment.devices.c.folder import CForm, c_contents
from mobilenet_tf.deployment.devices.c.host import run_on_host
from mobilenet_tf.deployment.devices.firmware.files import shared_templates
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.templates import fill
from mobilenet_tf.deployment.tflite.compressed.compress import NONE
from mobilenet_tf.deployment.tflite.flatbuffer import pack, pack_shared
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.networks.rows import Network

# Without optimization, which takes most of the time.
SANITIZERS = ("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


class OneOperator:
    """Builds a file with one operator; random scales and zero points come from `seed`."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.buffers = [schema.BufferT()]

    def tensor(
        self, shape: tuple[int, ...], data: np.ndarray | None = None, **quantization: Any
    ) -> int:
        """Add a tensor; an activation of int8 without `data`."""
        tensor = schema.TensorT()
        tensor.shape, tensor.hasRank, tensor.buffer = np.array(shape, np.int32), True, 0
        tensor.type = schema.TensorType.INT8
        if data is not None:
            tensor.type = getattr(schema.TensorType, data.dtype.name.upper())
            tensor.buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        scale = quantization.get("scale", np.float32(self.random.uniform(0.02, 0.08)))
        zero = quantization.get("zero", int(self.random.integers(-128, 128)))
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.atleast_1d(np.asarray(scale, np.float32))
        tensor.quantization.zeroPoint = np.full(len(tensor.quantization.scale), zero, np.int64)
        tensor.quantization.quantizedDimension = quantization.get("axis", 0)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def weights(self, shape: tuple[int, ...], axis: int, channels: int) -> list[int]:
        """Add weights with a scale per channel, and a bias."""
        scale = self.random.uniform(0.001, 0.01, channels)
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        bias = self.random.integers(-3000, 3000, channels).astype(np.int32)
        return [
            self.tensor(shape, data, scale=scale, zero=0, axis=axis),
            self.tensor((channels,), bias, scale=0.05 * scale, zero=0),
        ]

    def file(self, kind: str, inputs: list[int], output: int, options: Any = None) -> bytes:
        """Return the file; the first input is the graph's."""
        model, code, op = schema.ModelT(), schema.OperatorCodeT(), schema.OperatorT()
        model.version, model.subgraphs, model.buffers = 3, [self.graph], self.buffers
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}.get(kind, 2)
        model.operatorCodes, op.opcodeIndex = [code], 0
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            op.builtinOptions = options
        self.graph.inputs, self.graph.outputs = op.inputs[:1], op.outputs
        self.graph.operators = [op]
        return pack(model)


def scaled_as_pixels(content: bytes) -> bytes:
    """Return the file with the input quantization of this project's pictures."""
    model = parse_model(content)
    pixels = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].quantization
    pixels.scale, pixels.zeroPoint = np.float32([1 / 127.5]), np.int64([0])
    return pack_shared(model)


def plain_c(
    content: bytes,
    network: Network,
    pictures: np.ndarray,
    prefix: str = "model",
    compress: str = NONE,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return facts and folder of a file that is known to be a classifier of pictures."""
    classes = tuple(f"class {number}" for number in range(network.classes))
    return c_contents(
        Int8Model(
            content=scaled_as_pixels(content),
            network=network,
            labels=classes,
            title="Test",
            pictures=pictures,
            prefix=prefix,
            compress=compress,
        )
    )


def pictures_for(network: Network, count: int = 6) -> np.ndarray:
    """Return random pictures, uint8."""
    shape = (count, *network.input.shape)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def written(folder: Path, contents: dict[str, bytes]) -> Path:
    """Write the files of a folder, and return it."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def run_both(
    content: bytes, inputs: np.ndarray, compress: str = NONE
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs of the C, with sanitizers, and of TensorFlow Lite Micro.

    Args:
        content: A file with int8 input of any shape.
        inputs: int8 (N, ...) in that shape.
        compress: How the C stores kernels.
    """
    form = CForm(content, compress)
    expected = side_by_side(MicroModel(form.plain).run(inputs))
    return run_sanitized(form, inputs, expected.shape[1]), expected


def run_sanitized(form: CForm, inputs: np.ndarray, size: int) -> np.ndarray:
    """Return the outputs of a network as C, with sanitizers: int8 (N, size)."""
    values = {f"arena_{kernels}": size for kernels, size in form.arena.items()}
    values |= {"title": "", "labels": "0", "height": 1, "width": 1, "channels": inputs[0].size}
    sizes = {"classes": 1, "outputs": 1, "output_sizes": size, "output_bytes": size}
    values |= form.source.texts() | sizes
    files = fill("mobilenet_tf.deployment.devices.c", defaultdict(str, values))
    files["src/model_io.h"] = shared_templates(defaultdict(str, values))["model_io.h"]
    kernels = {f"src/kernels/{name}" for name in form.source.kernels}
    used = {
        name: content
        for name, content in files.items()
        if name.endswith(".h") or name == "src/model.c" or name in kernels
    }
    return run_on_host(used, "model", inputs, SANITIZERS)
