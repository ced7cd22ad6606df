"""This project's int8 files in LiteRT against what a user might pick instead on the same CPU.

pip install -e .[peers]
python -m benchmarks.peers [NETWORK...]

For each network and size, in one process, in turn, one thread each, on the thread's processor
time:
  ours      the .tflite in LiteRT
  openvino  the same .tflite in OpenVINO, which reads it itself
  ort       the same weights in ONNX Runtime, statically quantized with the same pictures
  ov_onnx   that ONNX file in OpenVINO
Outputs are compared, so that it is the same network that is timed.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import openvino
import tf_keras as keras

from benchmarks.latency import NOTE, SIZES, pictures, ratio, runner, settle
from benchmarks.onnx_graph import float_graph, quantized_graph
from benchmarks.tables import markdown, publish, spread
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.terminal import console
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network

_ROUNDS = 100
PEERS = ("openvino", "ort", "ov_onnx")


def in_openvino(content: bytes, kind: str, image: np.ndarray):
    """One inference of a `tflite` or an `onnx`, and its result."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{kind}"  # which a .tflite must be read from
        path.write_bytes(content)
        model = openvino.Core().read_model(path)
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(image)))
    return request.infer, lambda: request.get_output_tensor().data


def in_onnxruntime(content: bytes, image: np.ndarray):
    """One inference of an .onnx, without copies of input and output, and its result."""
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


def measure(spec: Network) -> dict:
    """One network and size in all runtimes, timed against each other."""
    images = pictures(spec)
    deployed = deploy_form(settle(build_network(spec), images))
    _stretch(deployed, images)
    file = convert(quantize_aware(deployed, images, spec.input))
    graph = quantized_graph(float_graph(deployed), images)
    std, mean = spec.input.std, spec.input.mean
    pixels = np.rint(images[:1] * std + mean).astype(np.uint8)
    planes = images[:1].transpose(0, 3, 1, 2)
    made = {
        "openvino": in_openvino(file, "tflite", pixels),
        "ort": in_onnxruntime(graph, planes),
        "ov_onnx": in_openvino(graph, "onnx", planes),
    }
    runs = {"ours": runner(file)} | {name: run for name, (run, _) in made.items()}
    samples = interleaved(runs, _ROUNDS, clock=time.thread_time)
    expected = deployed(images[:1]).numpy().ravel()
    return {
        "network": spec.name,
        "size": spec.input.side,
        "milliseconds": {name: float(np.median(value)) for name, value in samples.items()},
        "faster_than": {name: ratio(samples[name], samples["ours"]) for name in PEERS},
        "correlation_with_float": {
            name: float(np.corrcoef(expected, np.ravel(result()).astype(np.float32))[0, 1])
            for name, (_, result) in made.items()
        },
    }


def _stretch(deployed, images: np.ndarray) -> None:
    """Bring a random network's classes apart, or comparing outputs would mean nothing."""
    head = [layer for layer in deployed.layers if layer.get_weights()][-1]
    logits = keras.Model(deployed.input, head.output)(images).numpy()
    head.set_weights([weight * 3 / logits.std() for weight in head.get_weights()])


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""
    columns = (
        "network", "size", "ours, ms", "OpenVINO, ms", "ONNX Runtime, ms",
        "OpenVINO on ONNX, ms", "times faster than OpenVINO", "than ONNX Runtime",
        "than OpenVINO on ONNX",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}`",
                row["size"],
                *(f"{row['milliseconds'][name]:.2f}" for name in ("ours", *PEERS)),
                *(spread(row["faster_than"][name]) for name in PEERS),
            )
            for row in rows
        ],
    )


def main(names: list[str]) -> None:
    """Write docs/peers.json and the table in docs/benchmarks.md, network by network."""
    note = f"{NOTE} OpenVINO {openvino.__version__.split('-')[0]}, "
    note += f"ONNX Runtime {onnxruntime.__version__}."
    for name in names or ZOO:
        for size in SIZES:
            row = measure(make_network(name, 1.0, size))
            console.print(row)
            publish("peers", row, ("network", "size"), table, note)


if __name__ == "__main__":
    main(sys.argv[1:])
