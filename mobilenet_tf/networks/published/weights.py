"""Weights from ImageNet, or from a file, into a network: all of them or none.

Layers are matched in topological order, whatever their names, as `tf_keras.applications` does.
Every count and shape is checked before the first weight is assigned.
"""

import contextlib
import hashlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.build import FAMILIES
from mobilenet_tf.networks.spec import ModelSpec
from mobilenet_tf.networks.zoo import ZOO

log = logging.getLogger(__name__)

HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
V1_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
V1_SIZES = (128, 160, 192, 224)
V2_SIZES = (96, 128, 160, 192, 224)

# Hashes of published files: V3's MD5 from Keras's source; V2's SHA-256 is pinned by other public
# projects. For the others Keras publishes none, and the first download is trusted.
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


@dataclass(frozen=True)
class Stored:
    """The weights of one layer as a file has them."""

    name: str
    arrays: list[np.ndarray]


def load_weights(
    model: keras.Model, weights: str | Path = "imagenet", spec: ModelSpec | None = None
) -> None:
    """Load published or own weights into a network that `build` made.

    A classifier that the file lacks, or has for another number of classes, keeps its random
    start. A one-channel network takes the sum of an RGB stem over its input channels: what the
    RGB network computes where red, green and blue are equal. Each of these, and a file for
    another size, is said in the log.

    Args:
        model: the network; unchanged where this raises.
        weights: `imagenet` for the files of `tf_keras.applications`, downloaded into Keras's
            cache and checked; or a `.h5` file of their layout, with or without classifier; or
            a `.keras` file.
        spec: of the model; needed where it was read from a file and so has no `spec`.

    Raises:
        UserError: no such weights or file, no network, a wrong hash, or a file that does not fit.
    """
    spec = spec or getattr(model, "spec", None)
    if spec is None:
        raise UserError(f"{model.name} has no specification; spec must be given with the model.")
    if weights == "imagenet":
        _load_imagenet(model, spec)
    else:
        _load_file(model, spec, Path(weights))


def published_file(spec: ModelSpec, include_top: bool) -> tuple[str, int]:
    """URL of the ImageNet weights for a specification, and the size they were trained at.

    Where a size has no file of its own, the nearest size's is chosen (the larger of two).

    Raises:
        UserError: nothing published for this network or alpha.
    """
    entry, alpha = ZOO[spec.name], float(spec.alpha)
    if spec.rows != entry.rows:
        raise UserError(f"{spec.name} with changed rows has no ImageNet weights; only the paper's.")
    if alpha not in entry.alphas:
        raise UserError(
            f"alpha is {spec.alpha}; ImageNet weights of {spec.name} are published for "
            f"{', '.join(map(str, entry.alphas))}."
        )
    end = "" if include_top else "_no_top"
    if entry.family == "v1":
        size = _nearest(spec.size, V1_SIZES)
        return f"{HOST}/mobilenet/mobilenet_{V1_ALPHAS[alpha]}_{size}_tf{end}.h5", size
    if entry.family == "v2":
        size = _nearest(spec.size, V2_SIZES if alpha <= 1 else (224,))
        file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}{end}.h5"
        return f"{HOST}/mobilenet_v2/{file}", size
    kind = spec.name.removeprefix("v3_")
    end = "" if include_top else "_no_top_v2"
    return f"{HOST}/mobilenet_v3/weights_mobilenet_v3_{kind}_224_{alpha}_float{end}.h5", 224


def _nearest(size: int, published: tuple[int, ...]) -> int:
    return min(published, key=lambda other: (abs(other - size), -other))


def _load_imagenet(model: keras.Model, spec: ModelSpec) -> None:
    url, size = published_file(spec, _has_top(model, spec))
    name = url.rpartition("/")[2]
    try:
        path = Path(keras.utils.get_file(name, url, cache_subdir="models"))
    except Exception as error:  # get_file raises nothing narrower
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{name} cannot be fetched ({reason}); it needs a network once, or the file in "
            "~/.keras/models."
        ) from error
    remember = _check_hash(path)
    _load_file(model, spec, path)
    remember()
    if size != spec.size:
        log.warning("No weights are published for size %d; those for %d are used.", spec.size, size)


def _check_hash(path: Path) -> Callable[[], None]:
    """Compare a published file with its hash, or with the one of its first download.

    Returns:
        What to call once the file has turned out to fit.

    Raises:
        UserError: it is another file.
    """
    seen = path.with_name(f"{path.name}.sha256")
    expected = HASHES.get(path.name) or (seen.read_text().strip() if seen.exists() else None)
    algorithm = "md5" if expected and len(expected) == 32 else "sha256"
    actual = hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()
    if expected and actual != expected:
        files = f"it and {seen.name}" if path.name not in HASHES else "it"
        raise UserError(
            f"{path} has {algorithm} {actual}, not {expected}; delete {files} to fetch it again."
        )

    def remember() -> None:
        if not expected:
            # A cache that cannot be written is Keras's business; nothing depends on this note.
            with contextlib.suppress(OSError):
                seen.write_text(f"{actual}\n")

    return remember


def _load_file(model: keras.Model, spec: ModelSpec, path: Path) -> None:
    assigned = _match(model, spec, _read(path), path)
    for layer, arrays in assigned:
        layer.set_weights(arrays)


def _read(path: Path) -> list[Stored]:
    readers = {".h5": _read_h5, ".keras": _read_keras}
    if path.suffix not in readers:
        raise UserError(f"weights is {str(path)!r}; it must be imagenet, a .h5 or a .keras file.")
    if not path.is_file():
        raise UserError(f"{path} does not exist.")
    return readers[path.suffix](path)


def _read_h5(path: Path) -> list[Stored]:
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)  # a whole model saved as .h5
            names = _attribute(root, "layer_names")
            if not names:
                raise UserError(f"{path} is no weights file in the layout of Keras applications.")
            stored = []
            for name in names:
                group = root[name]
                arrays = [np.asarray(group[key]) for key in _attribute(group, "weight_names")]
                if arrays:
                    stored.append(Stored(name, arrays))
            return stored
    except (OSError, KeyError) as error:
        raise UserError(f"{path} is damaged or no HDF5 weights file.") from error


def _attribute(group: h5py.Group, name: str) -> list[str]:
    """A list of names; Keras cuts one that is too long for HDF5 into name0, name1 and so on."""
    parts = itertools.takewhile(
        group.attrs.__contains__, (f"{name}{index}" for index in itertools.count())
    )
    keys = [name] if name in group.attrs else parts
    found = [value for key in keys for value in group.attrs[key]]
    return [value.decode() if isinstance(value, bytes) else value for value in found]


def _read_keras(path: Path) -> list[Stored]:
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever a file from elsewhere makes Keras raise
        raise UserError(f"{path} cannot be read as a tf_keras model.") from error
    return [Stored(layer.name, layer.get_weights()) for layer in model.layers if layer.weights]


def _has_top(model: keras.Model, spec: ModelSpec) -> bool:
    classifier = FAMILIES[ZOO[spec.name].family].HEAD[-1]
    return any(layer.name == classifier for layer in model.layers)


def _match(model: keras.Model, spec: ModelSpec, stored: list[Stored], path: Path) -> list:
    """Pairs of a layer and its new arrays; the log says what is left as it is."""
    head = FAMILIES[ZOO[spec.name].family].HEAD
    wanted = [layer for layer in model.layers if layer.weights]
    top = _has_top(model, spec)
    backbone = len(wanted) - (len(head) if top else 0)
    if len(stored) not in (backbone, backbone + len(head)):
        raise UserError(
            f"{path} has {len(stored)} layers with weights; {model.name} needs {backbone}, or "
            f"{backbone + len(head)} with a classifier."
        )
    notes, assigned = [], []
    # A head on one side only is left out.
    for index, (layer, source) in enumerate(zip(wanted, stored, strict=False)):
        arrays = source.arrays
        expected = [tuple(weight.shape) for weight in layer.weights]
        found = [array.shape for array in arrays]
        if index == 0 and spec.channels == 1 and found[0][2:3] == (3,):
            arrays = [arrays[0].sum(axis=2, keepdims=True), *arrays[1:]]
            found = [array.shape for array in arrays]
            notes.append("The first layer's RGB kernels are summed for one grey channel.")
        if layer.name == head[-1] and found != expected and found[0][:-1] == expected[0][:-1]:
            notes.append(
                f"The classifier starts anew: {path.name} has one for {found[0][-1]} classes, "
                f"{model.name} needs {expected[0][-1]}."
            )
            continue
        if found != expected:
            raise UserError(
                f"{path}: layer {source.name} has shapes {_text(found)}, but {layer.name} of "
                f"{model.name} needs {_text(expected)}."
            )
        assigned.append((layer, arrays))
    if top and len(stored) == backbone:
        notes.append(f"The classifier starts anew: {path.name} has none.")
    for note in notes:
        log.warning(note)
    return assigned


def _text(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)
