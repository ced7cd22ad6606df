"""Where post-training quantization loses accuracy, layer by layer: a table in docs/quantization.md.

python -m benchmarks.post_training_layers FOLDER [--data DIR] [--weights DIR]

The network is `clothing` of `benchmarks.post_training`, whose FOLDER may have its run already. One
kernel, or one tensor between layers, is rounded at a time; the rest stays float. The noise is that
of the scores of validation images.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from benchmarks.post_training import PLAIN, SCALES, WEIGHTS, Subject, fine_tuned
from benchmarks.sections import SHARED, Section, markdown, paragraph
from mobilenet_tf.compression.deploy import CONVOLUTIONS, deploy_form, input_tensors
from mobilenet_tf.compression.post_training.quantize import quantize_after_training
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.compression.qat import without_rounding
from mobilenet_tf.core.progress import bar
from mobilenet_tf.deployment.proof.rounding import sqnr

_SHOWN = 8
WAYS = {"plain": PLAIN, "default": PostTraining()}
Row = dict[str, Any]


class _Switch(keras.layers.Layer):
    """Rounds a tensor while it is on."""

    def __init__(self, quantizer: Any, name: str) -> None:
        super().__init__(name=f"{name}/switch")
        self.quantizer, self.on = quantizer, tf.Variable(0.0, trainable=False)

    def call(self, inputs: Any) -> Any:
        return inputs + self.on * (self.quantizer(inputs, False, {}) - inputs)


def _with_switches(rounded: keras.Model) -> keras.Model:
    """Return the float network of a quantized one, with a switch behind each rounded tensor."""
    plain = without_rounding(rounded)
    tensors = {id(plain.input): plain.input}
    for layer in plain.layers[1:]:
        sources = [tensors[id(source)] for source in input_tensors(layer)]
        found = layer(sources if len(sources) > 1 else sources[0])
        config = rounded.get_layer(layer.name).quantize_config
        for quantizer in config.get_output_quantizers(layer):
            found = _Switch(quantizer, layer.name)(found)
        tensors[id(layer.output if layer.inbound_nodes else found)] = found
    return keras.Model(plain.input, tensors[id(plain.output)])


def measure(subject: Subject, per_channel: bool, way: str) -> Iterator[Row]:
    """Yield the noise of the scores with all kernels or tensors rounded, and with each alone."""
    deployed, spec = deploy_form(subject.model), subject.network.input
    rounded = quantize_after_training(deployed, subject.calibration, spec, per_channel, WAYS[way])
    model, (images, _) = _with_switches(rounded), subject.parts["validation"]
    run = tf.function(lambda batch: model(batch, training=False))

    def scores() -> np.ndarray:
        return np.concatenate([run(images[i : i + 64]).numpy() for i in range(0, len(images), 64)])

    switches = [layer for layer in model.layers if isinstance(layer, _Switch)]
    kernels = [layer for layer in model.layers if isinstance(layer, CONVOLUTIONS)]
    own = {layer.name: deployed.get_layer(layer.name).get_weights() for layer in kernels}

    def turn(layer: keras.layers.Layer, *, on: bool) -> None:
        if isinstance(layer, _Switch):
            layer.on.assign(float(on))
        else:
            kernel, bias = own[layer.name]
            wrapper = rounded.get_layer(layer.name)
            kernel = wrapper.weight_quantizer(wrapper.weight, False, {}).numpy() if on else kernel
            layer.set_weights([kernel, bias])

    for layer in kernels:  # their weights are the rounded ones
        turn(layer, on=False)
    exact = scores()
    parts = [("all", "kernels", kernels), ("all", "tensors", switches)]
    parts += [(layer.name, "kernels", [layer]) for layer in kernels]
    parts += [(layer.name.removesuffix("/switch"), "tensors", [layer]) for layer in switches]
    with bar() as progress:
        for name, what, layers in progress.track(parts, description="Rounding one at a time"):
            for layer in layers:
                turn(layer, on=True)
            noise = sqnr(exact, scores())
            for layer in layers:
                turn(layer, on=False)
            yield {"layer": name, "rounded": what, "per_channel": per_channel, "way": way,
                   "sqnr_db": noise}  # fmt: skip


def render(rows: list[Row]) -> str:
    """Return the content of docs/post_training_layers.json as Markdown."""
    cells = []
    seen = {
        (row["per_channel"], row["rounded"], row["way"], row["layer"]): row["sqnr_db"]
        for row in rows
    }
    # The scales of kernels play no part in the tensors between layers.
    kinds = [(f"kernels, one scale per {title}", "kernels", flag) for title, flag in SCALES.items()]
    for title, what, per_channel in [*kinds, ("tensors between layers", "tensors", True)]:
        plain = {
            layer: noise
            for (channel, kind, way, layer), noise in seen.items()
            if (channel, kind, way) == (per_channel, what, "plain") and layer != "all"
        }
        worst = sorted(plain, key=lambda layer: plain[layer])[:_SHOWN]
        for layer in ("all", *worst):
            found = (f"{seen[per_channel, what, way, layer]:.1f}" for way in WAYS)
            cells.append((title, layer, *found))
    note = """Signal-to-noise ratio of the scores in dB, on the validation images, with only these
        kernels or tensors rounded: the worst of each kind, and all at once. By default a kernel
        also takes back what those before it have changed, which counts as noise where it is
        rounded alone."""
    return f"{markdown(('rounded', 'layer', 'plain', 'by default'), cells)}\n\n{paragraph(note)}"


SECTION = Section("post_training_layers", render, document="docs/quantization.md")


def main() -> None:
    """Measure, and write docs/post_training_layers.json and what is rendered from it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of the run")
    parser.add_argument("--data", default=str(SHARED / "data" / "clothing"))
    parser.add_argument("--weights", type=Path, default=SHARED / "weights")
    options = parser.parse_args()
    subject = fine_tuned(options.data, str(options.weights / WEIGHTS["clothing"]), options.folder)
    SECTION.save(
        [
            row
            for per_channel in SCALES.values()
            for way in WAYS
            for row in measure(subject, per_channel, way)
        ]
    )


if __name__ == "__main__":
    main()
