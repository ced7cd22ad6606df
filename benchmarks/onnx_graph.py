"""Convert a deploy form to an ONNX graph and quantize it as ONNX Runtime's documentation does."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import tf_keras as keras
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from mobilenet_tf.compression.deploy import ShiftedReLU6, input_tensors
from mobilenet_tf.networks.graph import same_padding

_INPUT = "image"
_OPSET = 17


def float_graph(deployed: keras.Model) -> onnx.ModelProto:
    """Return the same float function as an ONNX graph.

    Args:
        deployed: Result of `deploy_form`, with an input (batch, height, width, channels).

    Returns:
        Graph with an input (1, channels, height, width) and an output (1, classes).
    """
    _, height, width, channels = deployed.input_shape
    writer = _Writer({id(deployed.input): _INPUT})
    for layer in deployed.layers[1:]:
        names = [writer.names[id(tensor)] for tensor in input_tensors(layer)]
        writer.names[id(layer.output)] = _WRITERS[type(layer)](writer, layer, names)
    shapes = {
        _INPUT: (1, channels, height, width),
        writer.names[id(deployed.output)]: (1, deployed.output_shape[-1]),
    }
    inputs, outputs = (
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)]
        for name, shape in shapes.items()
    )
    graph = helper.make_graph(writer.nodes, "network", inputs, outputs, writer.constants)
    opset = helper.make_opsetid("", _OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


class _Writer:
    """Nodes and constants written so far.

    Args:
        names: id of a Keras tensor -> name of the same tensor in the graph.
    """

    def __init__(self, names: dict[int, str]):
        self.names = names
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: Any) -> str:
        name = f"constant_{len(self.constants)}"
        array = np.asarray(values, np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def convolution(self, layer: keras.layers.Layer, inputs: list[str]) -> str:
        kernel, bias = layer.get_weights()
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        # (h, w, C, 1) or (h, w, in, out) -> (out, in per group, h, w).
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        sides = layer.input.shape[1:3]
        pads = [(0, 0), (0, 0)]
        if layer.padding == "same":
            axes = zip(sides, layer.kernel_size, layer.strides, strict=True)
            pads = [same_padding(*axis) for axis in axes]
        return self.node(
            "Conv",
            [*inputs, self.constant(kernel), self.constant(bias)],
            kernel_shape=layer.kernel_size,
            strides=layer.strides,
            pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
            group=kernel.shape[0] if depthwise else 1,
        )

    def relu(self, layer: keras.layers.Layer, inputs: list[str]) -> str:
        if layer.max_value is None:
            return self.node("Relu", inputs)
        return self.clip(inputs, layer.max_value)

    def clip(self, inputs: list[str], high: float) -> str:
        return self.node("Clip", [*inputs, self.constant(0), self.constant(high)])

    def shifted_relu6(self, layer: keras.layers.Layer, inputs: list[str]) -> str:
        return self.clip([self.node("Add", [*inputs, self.constant(3)])], 6)


_WRITERS = {
    keras.layers.Conv2D: _Writer.convolution,
    keras.layers.DepthwiseConv2D: _Writer.convolution,
    keras.layers.ReLU: _Writer.relu,
    ShiftedReLU6: _Writer.shifted_relu6,
    keras.layers.Multiply: lambda writer, layer, inputs: writer.node("Mul", inputs),
    keras.layers.Add: lambda writer, layer, inputs: writer.node("Add", inputs),
    keras.layers.GlobalAveragePooling2D: lambda writer, layer, inputs: writer.node(
        "GlobalAveragePool", inputs
    ),
    keras.layers.Flatten: lambda writer, layer, inputs: writer.node("Flatten", inputs),
    keras.layers.Softmax: lambda writer, layer, inputs: writer.node("Softmax", inputs, axis=-1),
}


class _Images(CalibrationDataReader):
    def __init__(self, images: np.ndarray):
        self.batches = iter(images.transpose(0, 3, 1, 2)[:, None])

    def get_next(self) -> dict[str, np.ndarray] | None:
        image = next(self.batches, None)
        return None if image is None else {_INPUT: image}


def quantized_graph(graph: onnx.ModelProto, images: np.ndarray) -> bytes:
    """Return the graph statically quantized: QDQ format, one scale per channel.

    Activations are uint8; with int8, ONNX Runtime runs V3 four times as slowly.

    Args:
        graph: Result of `float_graph`.
        images: (N, h, w, c) float32, normalised, for calibration.
    """
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(graph, source)
        quantize_static(
            source,
            target,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()
