"""Load weights, published or from a file, into a network: all of them or none.

Layers are matched in topological order, whatever their names, as `tf_keras.applications` does.
Every count and shape is checked before the first weight is assigned.
"""

import contextlib
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import read_text_file
from mobilenet_tf.networks.factorize import Factorization
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.published.names import NORM, head_layers, layer_name
from mobilenet_tf.networks.published.stored import Stored, read_weights
from mobilenet_tf.networks.rows import Classifier, Network
from mobilenet_tf.networks.zoo import ZOO, make_network

log = logging.getLogger(__name__)

_LARGEST_NOTE = 1000  # bytes of the hash of a first download
HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
V1_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
V1_SIZES = (128, 160, 192, 224)
V2_SIZES = (96, 128, 160, 192, 224)
V3_SIZES = (224,)

# Hashes of published files: V3's MD5 is from Keras's source, V2's SHA-256 is pinned by other public
# projects. Keras publishes none for the others, so their first download is trusted.
HASHES = {
    "weights_mobilenet_v3_large_224_0.75_float.h5": "765b44a33ad4005b3ac83185abf1d0eb",
    "weights_mobilenet_v3_large_224_0.75_float_no_top_v2.h5": "40af19a13ebea4e2ee0c676887f69a2e",
    "weights_mobilenet_v3_large_224_1.0_float.h5": "59e551e166be033d707958cf9e29a6a7",
    "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5": "07fb09a5933dd0c8eaafa16978110389",
    "weights_mobilenet_v3_large_minimalistic_224_1.0_float.h5": "675e7b876c45c57e9e63e6d90a36599c",
    "weights_mobilenet_v3_large_minimalistic_224_1.0_float_no_top_v2.h5": (
        "ec5221f64a2f6d1ef965a614bdae7973"
    ),
    "weights_mobilenet_v3_small_224_0.75_float.h5": "cb65d4e5be93758266aa0a7f2c6708b7",
    "weights_mobilenet_v3_small_224_0.75_float_no_top_v2.h5": "ebdb5cc8e0b497cd13a7c275d475c819",
    "weights_mobilenet_v3_small_224_1.0_float.h5": "8768d4c2e7dee89b9d02b2d03d65d862",
    "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5": "d3e8ec802a04aa4fc771ee12a9a9b836",
    "weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5": "99cd97fb2fcdad2bf028eb838de69e37",
    "weights_mobilenet_v3_small_minimalistic_224_1.0_float_no_top_v2.h5": (
        "cde8136e733e811080d9fcd8a252f7e4"
    ),
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5": (
        "3e195a2857356cfc092cbbb460beb2a5bce279015d7792598b8d3d9e451902e3"
    ),
}


def load_weights(
    model: keras.Model, weights: str | Path = "imagenet", network: Network | None = None
) -> None:
    """Load published weights or a weights file into a model that `build_network` made.

    A classifier that the file lacks, or has for another number of classes, keeps its random
    values. A one-channel network gets the sum of an RGB stem over its input channels, which is
    what the RGB network computes where red, green and blue are equal. Each of these, and a file
    for another input size, is logged as a warning.

    Args:
        model: The model; unchanged if an error is raised.
        weights: `imagenet` for the files of `tf_keras.applications`, which are downloaded into
            Keras's cache and checked; or a `.h5` file in their layout, with or without classifier;
            or a `.keras` file. A factorized network also takes the weights of the network that it
            was made of, if its form can be computed from trained kernels.
        network: The network of the model; needed if the model was read from a file and so has no
            `network` attribute.

    Raises:
        UserError: There are no such weights or file, the download failed, a hash is wrong, or the
            file does not fit.
    """
    for note in assign_weights(model, weights, network):
        log.warning(note)


def assign_weights(
    model: keras.Model, weights: str | Path, network: Network | None = None
) -> list[str]:
    """Load weights as `load_weights` does, and return its warnings instead of logging them."""
    network = network or getattr(model, "network", None)
    if network is None:
        raise UserError(f"{model.name} has no network; pass `network` along with the model.")
    if weights == "imagenet":
        return _load_imagenet(model, network)
    return _load_file(model, network, Path(weights))


def published_file(network: Network, include_top: bool) -> tuple[str, int]:
    """Return the URL of a network's ImageNet weights and the input size they were trained at.

    A size without a file of its own gets the file of the nearest size (the larger of two).

    Raises:
        UserError: Nothing is published for this network or alpha.
    """
    published = {name: entry for name, entry in ZOO.items() if entry.alphas}
    if network.name not in published:
        raise UserError(f"{network.name} has no ImageNet weights; {', '.join(published)} have.")
    entry, alpha = published[network.name], network.alpha
    table = make_network(network.name, alpha, network.input.size, network.classes)
    if network.backbone != table.backbone:
        raise UserError(
            f"{network.name} with changed rows has no ImageNet weights; only the paper's has."
        )
    if alpha not in entry.alphas:
        raise UserError(
            f"alpha is {alpha}; ImageNet weights of {network.name} are published for "
            f"{', '.join(map(str, entry.alphas))}."
        )
    end = "" if include_top else "_no_top"
    if entry.layer_names == "v1":
        size = _nearest(network, V1_SIZES)
        return f"{HOST}/mobilenet/mobilenet_{V1_ALPHAS[alpha]}_{size}_tf{end}.h5", size
    if entry.layer_names == "v2":
        size = _nearest(network, V2_SIZES if alpha <= 1 else (224,))
        file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}{end}.h5"
        return f"{HOST}/mobilenet_v2/{file}", size
    kind = network.name.removeprefix("v3_")
    end = "" if include_top else "_no_top_v2"
    size = _nearest(network, V3_SIZES)
    return f"{HOST}/mobilenet_v3/weights_mobilenet_v3_{kind}_224_{alpha}_float{end}.h5", size


def _nearest(network: Network, published: tuple[int, ...]) -> int:
    side = min(network.input.height, network.input.width)
    return min(published, key=lambda other: (abs(other - side), -other))


def _load_imagenet(model: keras.Model, network: Network) -> list[str]:
    url, size = published_file(network, _has_top(model, network))
    name = url.rpartition("/")[2]
    try:
        path = Path(keras.utils.get_file(name, url, cache_subdir="models"))
    except Exception as error:  # get_file raises nothing narrower
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{name} cannot be downloaded ({reason}); connect to the network once, or put the file "
            "into ~/.keras/models."
        ) from error
    remember = _check_hash(path)
    notes = _load_file(model, network, path)
    remember()
    if (size, size) != network.input.size:
        notes.append(
            f"No weights are published for size {network.input.size_text}; those for {size} are "
            "used."
        )
    return notes


def _check_hash(path: Path) -> Callable[[], None]:
    """Compare a published file with its hash, or with the hash of its first download.

    Returns:
        A function to call once the file has proved to fit; it stores the hash of a first download.

    Raises:
        UserError: The hash differs.
    """
    seen = path.with_name(f"{path.name}.sha256")
    noted = read_text_file(seen, _LARGEST_NOTE).strip() if seen.exists() else None
    expected = HASHES.get(path.name) or noted
    algorithm = "md5" if expected and len(expected) == 32 else "sha256"
    actual = hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()
    if expected and actual != expected:
        files = f"it and {seen.name}" if path.name not in HASHES else "it"
        raise UserError(
            f"{path} has {algorithm} {actual}, not {expected}; delete {files} to download it again."
        )

    def remember() -> None:
        if not expected:
            # If the cache is not writable, nothing depends on this note.
            with contextlib.suppress(OSError):
                seen.write_text(f"{actual}\n")

    return remember


def _load_file(model: keras.Model, network: Network, path: Path) -> list[str]:
    stored = read_weights(path)
    try:
        return _assign(model, network, stored, path)
    except UserError:
        if not network.factorize:
            raise
        return _load_factors(model, network, stored, path)


def _assign(model: keras.Model, network: Network, stored: list[Stored], path: Path) -> list[str]:
    assigned, notes = _match(model, network, stored, path)
    for layer, arrays in assigned:
        layer.set_weights(arrays)
    return notes


def _load_factors(
    model: keras.Model, network: Network, stored: list[Stored], path: Path
) -> list[str]:
    """Load the weights of the network before its factorization, and factorize its kernels."""
    factorization, scheme = Factorization.parse(network.factorize), network.layer_names
    before = replace(network, factorize="")
    whole = build_network(before, include_top=_has_top(model, network))
    notes = _assign(whole, before, stored, path)
    layers = {layer.name: layer for layer in whole.layers}
    graph = lower(before)
    for op in graph:
        name = layer_name(scheme, op)
        if not op.has_weights or name not in layers:
            continue
        kernel, *bias = layers[name].get_weights()
        operations = factorization.operations(graph, op)
        kernels = [kernel] if operations == (op,) else factorization.kernels(kernel)
        for one, factor in zip(operations, kernels, strict=True):
            arrays = [factor, *bias] if one.name == op.name else [factor]
            model.get_layer(layer_name(scheme, one)).set_weights(arrays)
        if op.norm:
            norm = layer_name(scheme, op, NORM)
            model.get_layer(norm).set_weights(layers[norm].get_weights())
    return notes


def _has_top(model: keras.Model, network: Network) -> bool:
    classifier = head_layers(network)[-1]
    return any(layer.name == classifier for layer in model.layers)


def _match(
    model: keras.Model, network: Network, stored: list[Stored], path: Path
) -> tuple[list[tuple[keras.layers.Layer, list[np.ndarray]]], list[str]]:
    """Return pairs of a layer and its new arrays, and what to warn of."""
    head = head_layers(network)
    wanted = [layer for layer in model.layers if layer.weights]
    top = _has_top(model, network)
    backbone = len(wanted) - (len(head) if top else 0)
    if len(stored) not in (backbone, backbone + len(head)):
        # Heads of other tasks leave out a classifier's layers, the last of the backbone included.
        if len(stored) < backbone or isinstance(network.head[-1], Classifier):
            raise UserError(
                f"{path} has {len(stored)} layers with weights; {model.name} needs {backbone}, or "
                f"{backbone + len(head)} with a classifier."
            )
        stored = stored[:backbone]
    notes: list[str] = []
    assigned = []
    # A head that only one side has is left out.
    for index, (layer, source) in enumerate(zip(wanted, stored, strict=False)):
        arrays = source.arrays
        expected = [tuple(weight.shape) for weight in layer.weights]
        found = [array.shape for array in arrays]
        if index == 0 and network.input.channels == 1 and found[0][2:3] == (3,):
            arrays = [arrays[0].sum(axis=2, keepdims=True), *arrays[1:]]
            found = [array.shape for array in arrays]
            notes.append("The first layer's RGB kernels are summed for one grey channel.")
        if layer.name == head[-1] and found != expected and found[0][:-1] == expected[0][:-1]:
            notes.append(
                f"The classifier starts from random weights: {path.name} has one for "
                f"{found[0][-1]} classes, {model.name} needs {expected[0][-1]}."
            )
            continue
        if found != expected:
            raise UserError(
                f"{path}: layer {source.name} has shapes {_text(found)}, but {layer.name} of "
                f"{model.name} needs {_text(expected)}."
            )
        assigned.append((layer, arrays))
    if top and len(stored) == backbone:
        part = "classifier" if isinstance(network.head[-1], Classifier) else "head"
        notes.append(f"The {part} starts from random weights: {path.name} has none for it.")
    return assigned, notes


def _text(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)
