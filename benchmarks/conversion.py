"""Where the time goes from a trained `qat.keras` to the int8 file.

python -m benchmarks.conversion [NETWORK...]

Seconds of processor time, alpha 1, 96x96. `saved first` is what TensorFlow's converter does when
it is given a Keras model: it saves the model with a trace of every layer, and converts that.
"""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import tensorflow as tf
import tf_keras as keras

from benchmarks.latency import pictures, settle
from benchmarks.tables import markdown, publish
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.compression.quantized_layer import custom_objects
from mobilenet_tf.core.terminal import console, quiet
from mobilenet_tf.deployment.tflite.convert import convert, traced
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network

_SIZE = 96
STEPS = ("load", "trace", "convert", "metadata", "saved first")


def measure(spec: Network) -> dict:
    """Seconds of each step of one network."""
    images, seconds = pictures(spec), {}

    @contextmanager
    def timed(step: str):
        start = time.process_time()
        yield
        seconds[step] = time.process_time() - start

    with TemporaryDirectory() as folder:
        file = Path(folder) / "qat.keras"
        deployed = deploy_form(settle(build_network(spec), images))
        quantize_aware(deployed, images, spec.input).save(file)
        with timed("load"):
            model = keras.models.load_model(file, custom_objects=custom_objects(), compile=False)
    with timed("trace"):
        function = traced(model)
    with timed("convert"):
        content = convert(model)
    seconds["convert"] -= seconds["trace"]
    with timed("metadata"):
        labels = [str(number) for number in range(spec.classes)]
        add_metadata(
            content,
            name=spec.name,
            description="",
            labels=labels,
            input_spec=spec.input,
        )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with timed("saved first"), quiet():
        converter.convert()
    return {"network": spec.name, "size": spec.input.side, "seconds": seconds}


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""
    columns = ("network", *STEPS, "all but the last")
    return markdown(
        columns,
        [
            (
                f"`{row['network']}`",
                *(f"{row['seconds'][step]:.1f}" for step in STEPS),
                f"{sum(row['seconds'][step] for step in STEPS[:-1]):.1f}",
            )
            for row in rows
        ],
    )


def main(names: list[str]) -> None:
    """Write docs/conversion.json and the table in docs/benchmarks.md, network by network."""
    for name in names or ZOO:
        row = measure(make_network(name, 1.0, _SIZE))
        console.print(row)
        publish("conversion", row, ("network", "size"), table, "Seconds of processor time.")


if __name__ == "__main__":
    main(sys.argv[1:])
