"""Time of each step from a trained `qat.keras` to the int8 file.

python -m benchmarks.conversion [NETWORK...]

Seconds of CPU time, alpha 1, 96x96. `saved first` is the time of the conversion if TensorFlow's
converter is given a Keras model: it then saves the model with a trace of every layer first.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import tensorflow as tf

from benchmarks.applications import APPLICATIONS
from benchmarks.latency import sample_images, settle
from benchmarks.machines import Rows, add_row, machine_section
from benchmarks.sections import markdown
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.terminal import console, quiet
from mobilenet_tf.deployment.tflite.convert import convert, traced
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.models import load_qat
from mobilenet_tf.runs.settings import RunSettings

_SIZE = 96
STEPS = ("load", "trace", "convert", "metadata")
SAVED_FIRST = "saved first"


def measure(network: Network) -> dict[str, Any]:
    """Return the seconds of each step for one network."""
    images, seconds = sample_images(network), {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        start = time.process_time()
        yield
        seconds[step] = time.process_time() - start

    with TemporaryDirectory() as path:
        folder = RunFolder(path)
        folder.write_config(RunSettings(data="digits", network=network).to_dict())
        deployed = deploy_form(settle(build_network(network), images))
        quantize_aware(deployed, images, network.input).save(folder.qat_model)
        with timed("load"):
            model = load_qat(folder)
    with timed("trace"):
        function = traced(model)
    with timed("convert"):
        content = convert(model)
    seconds["convert"] -= seconds["trace"]
    with timed("metadata"):
        add_metadata(
            content,
            name=network.name,
            description="",
            labels=[str(number) for number in range(network.classes)],
            input_spec=network.input,
        )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    with timed(SAVED_FIRST), quiet():
        converter.convert()
    return {"network": network.name, "size": network.input.side, "seconds": seconds}


def table(rows: Rows) -> str:
    """Return the rows of one machine as Markdown."""
    return markdown(
        ("network", *STEPS, "total", SAVED_FIRST),
        [
            (
                f"`{row['network']}`",
                *(f"{row['seconds'][step]:.1f}" for step in STEPS),
                f"{sum(row['seconds'][step] for step in STEPS):.1f}",
                f"{row['seconds'][SAVED_FIRST]:.1f}",
            )
            for row in rows
        ],
    )


SECTION = machine_section("conversion", table, lambda entries: "Seconds of CPU time.")


def main(names: list[str]) -> None:
    """Measure networks, and write docs/conversion.json and its section after each."""
    for name in names or APPLICATIONS:
        row = measure(make_network(name, 1.0, _SIZE))
        console.print(row)
        add_row(SECTION, row, ("network", "size"))


if __name__ == "__main__":
    main(sys.argv[1:])
