"""Files with encoded kernels compute the same in TensorFlow Lite Micro, in the planned arena."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from benchmarks.compressed import with_shared_weights
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel, record_arena
from mobilenet_tf.deployment.tflite.compressed.codecs import CODECS
from mobilenet_tf.deployment.tflite.compressed.compress import INTERPRETER, compress_weights
from mobilenet_tf.deployment.tflite.compressed.decode_operator import DECODE, stored_tensors
from mobilenet_tf.deployment.tflite.compressed.split import split_convolution
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, lower_bound
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.zoo import make_network

NETWORKS = {
    "v1": make_network("v1", 0.25, 48, 2),
    "v2": make_network("v2", 0.35, 48, 5),
    "v3_small": make_network("v3_small", 0.35, 48, 3),
}
# Name -> (clusters, sparsity) of the 1x1 and other full convolutions.
WEIGHTS = {"clustered": (16, 0.0), "pruned": (None, 0.75), "both": (16, 0.75)}


@cache
def file(name: str, kind: str) -> bytes:
    """A file before it is compressed."""
    return with_shared_weights(int8_file(NETWORKS[name]), *WEIGHTS[kind])


@cache
def both_forms(name: str, kind: str, form: str = "auto") -> tuple[bytes, bytes]:
    """What a microcontroller runs, without and with compression."""
    content = file(name, kind)
    return shrink(content), shrink(compress_weights(content, form))


def stored_forms(content: bytes) -> Counter:
    return Counter(stored.form for _, stored in stored_tensors(parse_model(content)))


def raw(pictures: np.ndarray) -> np.ndarray:
    return (pictures.astype(int) - 128).astype(np.int8)


@pytest.mark.parametrize(
    ("name", "kind", "form"),
    [
        *(("v1", kind, "auto") for kind in WEIGHTS),
        *(("v1", *rest) for rest in (("both", "lut"), ("both", "prune"), ("pruned", "huffman"))),
        ("v2", "both", "auto"),
        ("v3_small", "both", "auto"),
    ],
)
def test_outputs_are_those_of_the_plain_file_on_real_pictures(pictures, name, kind, form):
    plain, small = both_forms(name, kind, form)
    inputs = raw(pictures[::8])
    expected = MicroModel(plain).run(inputs)
    assert len(np.unique(expected, axis=0)) > 1, "the network must tell pictures apart"
    assert len(small) < 0.85 * len(plain)
    assert form == "auto" or set(stored_forms(small)) == {form}
    np.testing.assert_array_equal(MicroModel(small).run(inputs), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_activations_take_no_more_memory(name):
    """The interpreter follows the plan, which has decoded kernels and not more than without them.

    What the interpreter keeps of each operator is paid with four times as much flash.
    """
    plain, small = both_forms(name, "both")
    before, after = record_arena(plain), record_arena(small)
    planned = lower_bound(lifetimes(parse_model(small)).values())
    assert after.activations == before.activations >= planned
    assert 0 < 4 * (after.needed - before.needed) < len(plain) - len(small)


def test_the_last_kernel_is_split_where_it_has_no_room():
    """65,536 bytes beside activations of at most 13,824: into 5 parts or more."""
    small = parse_model(both_forms("v1", "clustered")[1])
    names = [op_names(small)[op.opcodeIndex] for op in small.subgraphs[0].operators]
    at = len(names) - 1 - names[::-1].index("CONCATENATION")
    assert names[at - 12 : at] == [DECODE, "CONV_2D"] * 6


def convolutions(model: schema.ModelT) -> list[schema.OperatorT]:
    names = op_names(model)
    return [op for op in model.subgraphs[0].operators if names[op.opcodeIndex] == "CONV_2D"]


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_split_convolutions_compute_the_same(pictures, parts):
    content = int8_file(NETWORKS["v2"])
    model = parse_model(content)
    for op in convolutions(model)[:3]:
        split_convolution(model, op, parts)
    inputs = raw(pictures[:3])
    expected = MicroModel(content).run(inputs)
    np.testing.assert_array_equal(MicroModel(pack_shared(model)).run(inputs), expected)


def test_weights_that_do_not_repeat_stay_as_they_are():
    random = np.random.default_rng(3)
    model = parse_model(file("v1", "clustered"))
    for op in convolutions(model):
        buffer = model.buffers[model.subgraphs[0].tensors[op.inputs[1]].buffer]
        buffer.data = random.integers(-127, 128, len(buffer.data)).astype(np.int8).view(np.uint8)
    content = pack_shared(model)
    assert compress_weights(content) is content
    assert compress_weights(content, "none") is content
    for form in CODECS:
        with pytest.raises(UserError, match=f"--compress {form} makes no kernel"):
            compress_weights(content, form)


def test_savings_below_the_size_of_the_decoders_are_none():
    content, (plain, small) = file("v1", "pruned"), both_forms("v1", "pruned")
    large = replace(INTERPRETER, code=2 * (len(plain) - len(small)))
    assert compress_weights(content, decoders=large) is content
    assert compress_weights(content, "prune", large) != content


def test_one_scale_per_tensor(pictures):
    """As `--per-tensor` writes kernels; those of depthwise convolutions stay as they are."""
    model = parse_model(file("v1", "both"))
    graph, names = model.subgraphs[0], op_names(model)
    for op in graph.operators:
        if names[op.opcodeIndex] == "CONV_2D":
            for tensor in (graph.tensors[op.inputs[1]], graph.tensors[op.inputs[2]]):
                tensor.quantization.scale = tensor.quantization.scale[:1]
                tensor.quantization.zeroPoint = tensor.quantization.zeroPoint[:1]
    content = pack_shared(model)
    inputs = raw(pictures[:2])
    small = shrink(compress_weights(content))
    assert sum(stored_forms(small).values()) > 3
    np.testing.assert_array_equal(
        MicroModel(small).run(inputs), MicroModel(shrink(content)).run(inputs)
    )


def test_buffers_begin_at_multiples_of_16():
    """The decoders read words of 32 and 64 bits in place."""
    content = both_forms("v1", "both")[1]
    model = schema.Model.GetRootAs(content, 0)
    start = np.frombuffer(content, np.uint8).ctypes.data
    arrays = [model.Buffers(i).DataAsNumpy() for i in range(model.BuffersLength())]
    places = [array.ctypes.data - start for array in arrays if isinstance(array, np.ndarray)]
    assert len(places) > 50
    assert not any(place % 16 for place in places)
