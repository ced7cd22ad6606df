"""TensorFlow Lite Micro's own decoders restore what was encoded, in all layouts of the format."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.compressed.codecs import CODECS
from mobilenet_tf.deployment.tflite.compressed.decode_operator import insert_decode, layout_of
from mobilenet_tf.deployment.tflite.compressed.layout import Encoded, Layout, NotEncodable
from mobilenet_tf.deployment.tflite.flatbuffer import add_constant, operator, pack_shared
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused
from tests.export.tflite.compressed.test_codecs import random_tensor

CASES = 40  # per codec


def file_of(*kernels: tuple[Layout, Encoded]) -> bytes:
    """A file whose outputs are what DECODE restores; its input is there because one is needed."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    model.subgraphs, graph.tensors, graph.operators = [graph], [], []
    given = schema.TensorT()
    given.type, given.shape = schema.TensorType.INT8, np.array([1, 1, 1, 1], np.int32)
    graph.tensors.append(given)
    graph.inputs = np.array([0], np.int32)
    decoded = []
    for layout, encoded in kernels:
        kernel = schema.TensorT()
        kernel.type = getattr(schema.TensorType, layout.dtype.upper())
        kernel.shape = np.array(layout.shape, np.int32)
        kernel.quantization = schema.QuantizationParametersT()
        kernel.quantization.scale = np.full(layout.channels, 0.5, np.float32)
        kernel.quantization.zeroPoint = np.array(layout.zero_points, np.int64)
        kernel.quantization.quantizedDimension = layout.axis
        number = add_constant(model, kernel, np.zeros(1, np.uint8))
        reader = operator(model, "RESHAPE", [0, number], [])
        graph.operators.append(reader)
        assert layout_of(kernel) == layout
        insert_decode(model, reader, encoded)
        graph.operators.remove(reader)
        decoded.append(graph.operators[-1].outputs)
    graph.outputs = np.concatenate(decoded)
    drop_unused(model)
    return pack_shared(model)


def restored(layout: Layout, encoded: Encoded) -> np.ndarray:
    interpreter = MicroModel(file_of((layout, encoded)), 1 << 20)._interpreter
    interpreter.invoke()
    return interpreter.get_output(0).copy()


@pytest.mark.parametrize("name", CODECS)
def test_the_runtime_restores_every_layout(name):
    random, tried = np.random.default_rng(100 + len(name)), 0
    while tried < CASES:
        values, layout = random_tensor(random)
        try:
            encoded = CODECS[name].encode(values, layout)
        except NotEncodable:
            continue
        found = restored(layout, encoded)
        np.testing.assert_array_equal(found, values, err_msg=str(layout))
        tried += 1


@pytest.mark.parametrize("width", range(1, 8))
@pytest.mark.parametrize("channels", [1, 6])
def test_the_runtime_reads_indices_of_every_width(width, channels):
    """Widths 2, 3 and 4 have code of their own, for groups of 16 or 32 elements."""
    random = np.random.default_rng(width)
    layout = Layout((6, 5, 1, 27), zero_points=(0,) * channels)
    values = random.integers(0, 1 << width, layout.shape).astype(np.int8)
    encoded = CODECS["lut"].encode(values, layout)
    assert encoded.ancillary[5] & 0b111 == width
    found = restored(layout, encoded)
    np.testing.assert_array_equal(found, values)


def test_the_runtime_refuses_an_unknown_codec():
    layout = Layout((4,))
    encoded = CODECS["prune"].encode(np.arange(4, dtype=np.int8), layout)
    unknown = Encoded(encoded.values, b"\x55" + encoded.ancillary[1:])
    with pytest.raises(UserError, match="refuses the model"):
        restored(layout, unknown)
    assert parse_model(file_of((layout, unknown))).operatorCodes[0].customCode == b"TFLM_DECODE"
