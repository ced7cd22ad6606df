"""Time of this project's int8 files in LiteRT against other runtimes on the same CPU.

pip install -e .[peers]
python -m benchmarks.peers [NETWORK...]

For each network and size, these run in turns in one process, each on one thread, timed by its CPU
time:
  ours      the .tflite in LiteRT
  openvino  the same .tflite in OpenVINO, which reads it directly
  ort       the same weights in ONNX Runtime, statically quantized with the same images
  ov_onnx   that ONNX file in OpenVINO
Their outputs are compared, to make sure that all of them compute the same network.
"""

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tf_keras as keras

from benchmarks.applications import APPLICATIONS
from benchmarks.latency import NOTE, SIZES, runner, sample_images, settle
from benchmarks.machines import Rows, add_row, machine_section
from benchmarks.ratios import ratio, ratio_cell
from benchmarks.sections import markdown
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.terminal import console
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

_ROUNDS = 100
PEERS = ("openvino", "ort", "ov_onnx")
# Function that runs a network once, and function that returns its last output.
Inference = tuple[Callable[[], Any], Callable[[], np.ndarray]]


def in_openvino(content: bytes, kind: str, image: np.ndarray) -> Inference:
    """Load a file of kind `tflite` or `onnx` into OpenVINO, with an image as its input."""
    import openvino

    with TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{kind}"  # OpenVINO reads a .tflite only from a file
        path.write_bytes(content)
        model = openvino.Core().read_model(path)
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(image)))
    return request.infer, lambda: request.get_output_tensor().data


def in_onnxruntime(content: bytes, image: np.ndarray) -> Inference:
    """Load an .onnx into ONNX Runtime; input and output are not copied at each run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, np.ascontiguousarray(image))
    binding.bind_output(session.get_outputs()[0].name)
    return (
        lambda: session.run_with_iobinding(binding),
        lambda: binding.copy_outputs_to_cpu()[0],
    )


def measure(network: Network) -> dict[str, Any]:
    """Time one network in all runtimes, in turns."""
    from benchmarks.onnx_graph import float_graph, quantized_graph

    images = sample_images(network)
    deployed = deploy_form(settle(build_network(network), images))
    _spread_classes(deployed, images)
    file = convert(quantize_aware(deployed, images, network.input))
    graph = quantized_graph(float_graph(deployed), images)
    pixels = np.rint(images[:1] * network.input.std + network.input.mean).astype(np.uint8)
    channels_first = images[:1].transpose(0, 3, 1, 2)
    loaded = {
        "openvino": in_openvino(file, "tflite", pixels),
        "ort": in_onnxruntime(graph, channels_first),
        "ov_onnx": in_openvino(graph, "onnx", channels_first),
    }
    runs = {"ours": runner(file)} | {name: run for name, (run, _) in loaded.items()}
    samples = interleaved(runs, _ROUNDS, clock=time.thread_time)
    expected = deployed(images[:1]).numpy().ravel()
    return {
        "network": network.name,
        "size": network.input.side,
        "milliseconds": {name: float(np.median(values)) for name, values in samples.items()},
        "faster_than": {name: ratio(samples[name], samples["ours"]) for name in PEERS},
        "correlation_with_float": {
            name: float(np.corrcoef(expected, np.ravel(output()).astype(np.float32))[0, 1])
            for name, (_, output) in loaded.items()
        },
    }


def _spread_classes(deployed: keras.Model, images: np.ndarray) -> None:
    """Scale the classifier so that scores differ; a random network gives all classes the same."""
    head = [layer for layer in deployed.layers if layer.get_weights()][-1]
    logits = keras.Model(deployed.input, head.output)(images).numpy()
    head.set_weights([weight * 3 / logits.std() for weight in head.get_weights()])


def table(rows: Rows) -> str:
    """Return the rows of one machine as Markdown."""
    columns = (
        "network", "size", "ours, ms", "OpenVINO, ms", "ONNX Runtime, ms",
        "OpenVINO on ONNX, ms", "times faster than OpenVINO", "times faster than ONNX Runtime",
        "times faster than OpenVINO on ONNX",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}`",
                row["size"],
                *(f"{row['milliseconds'][name]:.2f}" for name in ("ours", *PEERS)),
                *(ratio_cell(row["faster_than"][name]) for name in PEERS),
            )
            for row in rows
        ],
    )


def note(entries: Rows) -> str:
    """Return the text below the tables."""
    used = dict.fromkeys(
        f"OpenVINO {entry['versions']['openvino']}, ONNX Runtime {entry['versions']['onnxruntime']}"
        for entry in entries
    )
    return f"{NOTE} {'; '.join(used)}."


SECTION = machine_section("peers", table, note)


def main(names: list[str]) -> None:
    """Measure networks, and write docs/peers.json and its section after each."""
    runtimes = {package: version(package) for package in ("openvino", "onnxruntime")}
    for name in names or APPLICATIONS:
        for size in SIZES:
            row = measure(make_network(name, 1.0, size))
            console.print(row)
            add_row(SECTION, row, ("network", "size"), runtimes)


if __name__ == "__main__":
    main(sys.argv[1:])
