"""This project's int8 files against what a user would make otherwise.

python -m benchmarks.latency [NETWORK...]

For each network and size, in one process, in turn, on one thread of LiteRT:
  ours      deploy form, quantized with this project's scheme
  (a)       tf_keras.applications, full-int8 post-training quantization
  (b)       the same as float
  (c)       ours with ReLU in place of hard-swish: the lower bound
Weights are random: they have no say in the time that an integer kernel takes. The clock is the
thread's processor time, which other programs on the machine do not add to.
"""

import sys
import time
from dataclasses import replace

import numpy as np
import tensorflow as tf
import tf_keras as keras
from ai_edge_litert.interpreter import Interpreter
from sklearn.datasets import load_sample_images

from benchmarks.applications import application
from benchmarks.tables import markdown, publish, spread
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.terminal import console, quiet
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.tables import HS, RE
from mobilenet_tf.networks.zoo import ZOO, make_network

SIZES = (96, 224)
NOTE = "Median of the ratios, round by round, and their quartiles; one thread, its processor time."
_ROUNDS = 200


def pictures(spec: Network) -> np.ndarray:
    """Sixteen squares of the photos that come with scikit-learn, normalised."""
    squares = []
    for photo in load_sample_images().images:
        for left in range(0, photo.shape[1] - 200, 60):
            square = tf.image.resize(
                photo[100:300, left : left + 200], (spec.input.side, spec.input.side)
            )
            squares.append(np.clip(np.rint(square), 0, 255).astype(np.uint8))
    return spec.input.normalise(np.stack(squares[:16]))


def settle(model: keras.Model, images: np.ndarray) -> keras.Model:
    """Give batch normalization the statistics of real pictures.

    With those of a new network activations fade from layer to layer, until their ranges are
    outside of what XNNPACK takes, which no trained network does.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for _ in range(3):
        model(images, training=True)
    return model


def ratio(slow: np.ndarray, fast: np.ndarray) -> tuple[float, float, float]:
    """Median, lower and upper quartile of how many times faster `fast` is, round by round."""
    quartiles = np.percentile(slow / fast, (50, 25, 75))
    return tuple(float(value) for value in quartiles)


def relu_twin(spec: Network) -> Network:
    """The same network with ReLU for hard-swish."""

    def plain(rows):
        swish = [getattr(row, "activation", None) == HS for row in rows]
        return tuple(
            replace(row, activation=RE) if found else row
            for row, found in zip(rows, swish, strict=True)
        )

    return replace(spec, backbone=plain(spec.backbone), head=plain(spec.head))


def ours(spec: Network) -> bytes:
    """The file that `export` would write."""
    images = pictures(spec)
    canonical = settle(build_network(spec), images)
    return convert(quantize_aware(deploy_form(canonical), images, spec.input))


def theirs(spec: Network) -> dict[str, bytes]:
    """The usual route: float, and full-int8 post-training quantization."""
    images = pictures(spec)
    model = settle(application(spec), images)
    with quiet():
        plain = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        return {"b": plain, "a": converter.convert()}


def runner(content: bytes):
    """One inference on one thread."""
    with quiet():
        interpreter = Interpreter(model_content=content, num_threads=1)
        details = interpreter.get_input_details()[0]
        # tf_keras.applications leaves the batch open.
        interpreter.resize_tensor_input(details["index"], (1, *details["shape"][1:]))
        interpreter.allocate_tensors()
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (1, *details["shape"][1:])).astype(details["dtype"])
    interpreter.set_tensor(details["index"], values)
    return interpreter.invoke


def measure(spec: Network) -> dict:
    """All files of one network and size, timed against each other."""
    files = {"ours": ours(spec), **theirs(spec)}
    # Without hard-swish the bound is the file itself.
    if relu_twin(spec) != spec:
        files["c"] = ours(relu_twin(spec))
    runs = {name: runner(content) for name, content in files.items()}
    samples = interleaved(runs, _ROUNDS, clock=time.thread_time)
    found = {
        "network": spec.name,
        "size": spec.input.side,
        "milliseconds": {name: float(np.median(value)) for name, value in samples.items()},
        "partitions": {
            name: inspect(content)["delegate"]["partitions"] for name, content in files.items()
        },
        "faster_than": {name: ratio(samples[name], samples["ours"]) for name in ("a", "b")},
    }
    if "c" in samples:
        found["against_bound"] = ratio(samples["ours"], samples["c"])
    return found


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""
    columns = (
        "network", "size", "ours, ms", "(a) PTQ, ms", "(b) float, ms", "pieces: ours / (a)",
        "times faster than (a)", "than (b)", "of the bound (c)",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}`",
                row["size"],
                *(f"{row['milliseconds'][name]:.2f}" for name in ("ours", "a", "b")),
                f"{row['partitions']['ours']} / {row['partitions']['a']}",
                spread(row["faster_than"]["a"]),
                spread(row["faster_than"]["b"]),
                spread(row.get("against_bound")),
            )
            for row in rows
        ],
    )


def main(names: list[str]) -> None:
    """Write docs/latency.json and the table in docs/benchmarks.md, network by network."""
    for name in names or ZOO:
        for size in SIZES:
            row = measure(make_network(name, 1.0, size))
            console.print(row)
            publish("latency", row, ("network", "size"), table, NOTE)


if __name__ == "__main__":
    main(sys.argv[1:])
