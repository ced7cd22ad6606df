"""What the bytes of one file for microcontrollers are for: visual wake words, V1 0.25 at 96x96."""

from functools import cache
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from benchmarks.micro_page import CLASSES
from mobilenet_tf.core.terminal import import_tensorflow
from mobilenet_tf.deployment.devices.mcu.interpreter import measure_arena
from mobilenet_tf.deployment.tflite.flatbuffer import SharingBuilder, pack
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, lower_bound
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import STEPS, drop_unused, shrink, shrink_steps
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network


@cache
def wake_words() -> bytes:
    """Return the file for visual wake words as the converter writes it."""
    return converted(make_network("v1", 0.25, 96, CLASSES))


def converted(network: Network) -> bytes:
    """Build, quantize and convert a network with random weights and plausible statistics."""
    import_tensorflow()
    import tf_keras as keras

    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.networks.keras_model import build_network

    random, model = np.random.default_rng(0), build_network(network)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [weight.shape for weight in layer.get_weights()]
            layer.set_weights([random.uniform(0.7, 1.3, shape) for shape in shapes])
    images = calibration_images(load_data("digits", network.input).train, network, 64, 0)
    return convert(quantize_aware(deploy_form(model), images, network.input), io="int8")


def steps(content: bytes) -> list[dict[str, Any]]:
    """Return file and arena after each step of `shrink`."""
    return [
        {"step": name, "bytes": len(stage), "arena": measure_arena(stage).needed}
        for name, stage in shrink_steps(content)
    ]


def anatomy(content: bytes) -> dict[str, dict[str, int]]:
    """Return what the bytes of the small file and of its arena are for."""
    small = shrink(content)
    model, arena = parse_model(small), measure_arena(small)
    kernels = biases = scales = 0
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        count = 0 if data is None else len(data)
        if len(tensor.shape) == 4 and count:
            kernels += count
            scales += 4 * len(tensor.quantization.scale)
        elif tensor.type == schema.TensorType.INT32 and tensor.shape[0] > 2:
            biases += count
    # The interpreter makes a multiplier and a shift from the scale of each channel.
    channels, bound = 2 * scales, lower_bound(lifetimes(model).values())
    return {
        "file": {
            "kernels, int8": kernels,
            "biases, int32": biases,
            "scales of kernels, float32": scales,
            "structure, plan, alignment": len(small) - kernels - biases - scales,
        },
        "arena": {
            "activations": arena.activations,
            "their lower bound": bound,
            "multipliers and shifts of channels": channels,
            "other structures of the interpreter": arena.needed - arena.activations - channels,
        },
    }


def tried(content: bytes) -> list[dict[str, Any]]:
    """Return what other changes would save in the small file, and why they are not made."""
    small = shrink(content)
    size, arena = len(small), measure_arena(small).needed
    without_softmax = parse_model(content)
    graph = without_softmax.subgraphs[0]
    graph.operators = graph.operators[:-2]
    graph.outputs = graph.operators[-1].outputs
    drop_unused(without_softmax)
    model = parse_model(content)
    for _, step in STEPS:
        step(model)
    changes = (
        (
            "without SOFTMAX and its RESHAPE",
            shrink(pack(without_softmax)),
            "scores would not be probabilities",
        ),
        (
            "weights aligned to 4 bytes, not 16",
            pack(model, NarrowBuilder),
            "kernels may read 16 bytes at once",
        ),
    )
    return [
        {
            "what": what,
            "bytes": len(changed) - size,
            "arena": measure_arena(changed).needed - arena,
            "why": why,
        }
        for what, changed, why in changes
    ]


class NarrowBuilder(SharingBuilder):
    """Aligns weights to 4 bytes."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        """Begin a vector; see `flatbuffers.Builder`."""
        return flatbuffers.Builder.StartVector(self, elemSize, numElems, max(4, alignment))
