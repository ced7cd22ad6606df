"""Change a quantized network layer by layer, knowing what the layers before have become."""

from collections.abc import Iterator

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import CONVOLUTIONS, input_tensors
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.core.progress import bar

_BATCH = 32


def layer_by_layer(
    model: keras.Model, original: keras.Model, images: np.ndarray, title: str
) -> Iterator[tuple[QuantizedLayer, keras.layers.Layer, np.ndarray, np.ndarray]]:
    """Yield the layers with a kernel, in the order of the graph.

    A layer may be changed before the next one is asked for: that one reads what it then computes.

    Args:
        model: The network that is changed; at inference it computes the file's integers.
        original: What it should compute, with the same names of layers.
        images: (N, h, w, c) float32, normalised.
        title: Text in front of the progress bar.

    Yields:
        A layer, the original's, and what the original and the layer read, for all images.
    """
    layers = model.layers[1:]
    last = {
        id(source): layer.name for layer in layers for source in input_tensors(layer)
    }  # by the id of a tensor: the last layer that reads it
    known = {layer.name for layer in original.layers}
    exact = {id(model.input): images}
    rounded = {id(model.input): images}
    with bar() as progress:
        task = progress.add_task(title, total=len(layers), note="")
        for layer in layers:
            sources = [id(source) for source in input_tensors(layer)]
            before = [exact[source] for source in sources]
            after = [rounded[source] for source in sources]
            own = original.get_layer(layer.name) if layer.name in known else None
            if isinstance(getattr(own, "layer", own), CONVOLUTIONS):
                yield layer, own, before[0], after[0]
            exact[id(layer.output)] = before[0] if own is None else _run(own, before)
            rounded[id(layer.output)] = _run(layer, after)
            for source in sources:
                if last[source] == layer.name:
                    exact.pop(source, None)
                    rounded.pop(source, None)
            progress.update(task, advance=1, note=layer.name)


def _run(layer: keras.layers.Layer, sources: list[np.ndarray]) -> np.ndarray:
    """Return a layer's output for whole arrays, batch by batch."""
    outputs = []
    for start in range(0, len(sources[0]), _BATCH):
        batch = [source[start : start + _BATCH] for source in sources]
        outputs.append(np.asarray(layer(batch if len(batch) > 1 else batch[0], training=False)))
    return np.concatenate(outputs)
