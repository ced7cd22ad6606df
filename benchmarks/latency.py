"""Time of this project's int8 files against the files that a user would make otherwise.

python -m benchmarks.latency [NETWORK...]

For each network and size, these files run in turns in one process, on one thread of LiteRT:
  ours      deploy form, quantized with this project's scheme
  (a)       tf_keras.applications after full-int8 post-training quantization
  (b)       tf_keras.applications in float
  (c)       ours with ReLU instead of hard-swish: the lower bound
Weights are random, because the time of an integer kernel does not depend on them. The clock is the
CPU time of the thread, which does not count the time of other programs on the machine.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from ai_edge_litert.interpreter import Interpreter
from sklearn.datasets import load_sample_images

from benchmarks.applications import APPLICATIONS, application
from benchmarks.machines import Rows, add_row, machine_section
from benchmarks.ratios import ratio, ratio_cell
from benchmarks.sections import markdown
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.terminal import console, quiet
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network, Row
from mobilenet_tf.networks.tables import HS, RE
from mobilenet_tf.networks.zoo import make_network

SIZES = (96, 224)
NOTE = (
    "Ratios are medians over the rounds, with quartiles in brackets. One thread; times are its CPU "
    "time."
)
_ROUNDS = 200


def sample_images(network: Network) -> np.ndarray:
    """Return sixteen square parts of scikit-learn's sample photos, normalised for a network."""
    squares = []
    for photo in load_sample_images().images:
        for left in range(0, photo.shape[1] - 200, 60):
            square = tf.image.resize(photo[100:300, left : left + 200], network.input.shape[:2])
            squares.append(np.clip(np.rint(square), 0, 255).astype(np.uint8))
    return network.input.normalise(np.stack(squares[:16]))


def settle(model: keras.Model, images: np.ndarray) -> keras.Model:
    """Give batch normalization the statistics of real images.

    With the statistics of a new network, activations shrink from layer to layer, until their
    ranges are outside of what XNNPACK accepts. This does not happen in trained networks.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for _ in range(3):
        model(images, training=True)
    return model


def with_relu(network: Network) -> Network:
    """Return the same network with ReLU instead of hard-swish."""

    def changed(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        swish = [getattr(row, "activation", None) == HS for row in rows]
        return tuple(
            replace(row, activation=RE) if found else row
            for row, found in zip(rows, swish, strict=True)
        )

    return replace(network, backbone=changed(network.backbone), head=changed(network.head))


def our_file(network: Network) -> bytes:
    """Return the file that `export` would write."""
    images = sample_images(network)
    model = settle(build_network(network), images)
    return convert(quantize_aware(deploy_form(model), images, network.input))


def keras_files(network: Network) -> dict[str, bytes]:
    """Return the files of `tf_keras.applications`: (b) float, (a) full-int8 after training."""
    images = sample_images(network)
    model = settle(application(network), images)
    with quiet():
        plain = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        return {"b": plain, "a": converter.convert()}


def runner(content: bytes) -> Callable[[], None]:
    """Return a function that runs a file once on one thread."""
    with quiet():
        interpreter = Interpreter(model_content=content, num_threads=1)
        details = interpreter.get_input_details()[0]
        # The batch size of the files of tf_keras.applications is not fixed.
        interpreter.resize_tensor_input(details["index"], (1, *details["shape"][1:]))
        interpreter.allocate_tensors()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (1, *details["shape"][1:])).astype(details["dtype"])
    interpreter.set_tensor(details["index"], pixels)
    return interpreter.invoke


def measure(network: Network, rounds: int = _ROUNDS) -> dict[str, Any]:
    """Time all files of one network in turns."""
    files = {"ours": our_file(network), **keras_files(network)}
    # Without hard-swish, the file itself is the lower bound.
    if with_relu(network) != network:
        files["c"] = our_file(with_relu(network))
    runs = {name: runner(content) for name, content in files.items()}
    samples = interleaved(runs, rounds, clock=time.thread_time)
    row = {
        "network": network.name,
        "size": network.input.side,
        "milliseconds": {name: float(np.median(values)) for name, values in samples.items()},
        "partitions": {
            name: inspect(content)["delegate"]["partitions"] for name, content in files.items()
        },
        "faster_than": {name: ratio(samples[name], samples["ours"]) for name in ("a", "b")},
    }
    if "c" in samples:
        row["against_bound"] = ratio(samples["ours"], samples["c"])
    return row


def table(rows: Rows) -> str:
    """Return the rows of one machine as Markdown."""
    columns = (
        "network", "size", "ours, ms", "(a) PTQ, ms", "(b) float, ms", "partitions: ours / (a)",
        "times faster than (a)", "times faster than (b)", "time: ours / (c)",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}`",
                row["size"],
                *(f"{row['milliseconds'][name]:.2f}" for name in ("ours", "a", "b")),
                f"{row['partitions']['ours']} / {row['partitions']['a']}",
                ratio_cell(row["faster_than"]["a"]),
                ratio_cell(row["faster_than"]["b"]),
                ratio_cell(row.get("against_bound")),
            )
            for row in rows
        ],
    )


SECTION = machine_section("latency", table, lambda entries: NOTE)


def main(names: list[str]) -> None:
    """Measure networks, and write docs/latency.json and its section after each."""
    for name in names or APPLICATIONS:
        for size in SIZES:
            row = measure(make_network(name, 1.0, size))
            console.print(row)
            add_row(SECTION, row, ("network", "size"))


if __name__ == "__main__":
    main(sys.argv[1:])
