"""Read .h5 and .keras files, without running anything that the files describe."""

import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import decode_text, read_bounded, text_lines
from mobilenet_tf.networks.published.h5 import LARGEST_ARRAYS, Group, h5_file, read_h5

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LABELS = "labels.txt"  # as in a .tflite; other members of a .keras file do not disturb Keras
_LARGEST_LABELS = 2**22  # bytes
# What people call the names of the outputs, in attributes of .h5 files and in a .keras's metadata.
_CLASS_NAMES = ("labels", "class_names", "classes", "class_indices")
_LARGEST_CONFIG = 64 * 2**20  # bytes; the largest published networks need about 1 MB
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


@dataclass(frozen=True)
class Stored:
    """The weights of one layer in a file.

    Attributes:
        name: The layer's name.
        arrays: Its weights in Keras's order.
    """

    name: str
    arrays: list[np.ndarray]


@dataclass(frozen=True)
class KerasFile:
    """The content of a .keras or .h5 file.

    Attributes:
        zipped: Whether it is a .keras file.
        config: The configuration of the model; None for a file with weights only.
        version: The version of Keras that wrote it, if the file says.
        class_names: Names of the outputs, if the file says.
        weights: The content of the HDF5 file: the layers of a model, in the layout of its kind.
    """

    zipped: bool
    config: dict[str, Any] | None
    version: str | None
    class_names: tuple[str, ...] | None
    weights: Group

    def write(self, folder: Path) -> Path:
        """Write a file that Keras can read: of what was read here, and of nothing else.

        Returns:
            Its path in the folder.
        """
        if not self.zipped:
            attributes = {"model_config": json.dumps(self.config)}
            attributes |= {} if self.version is None else {"keras_version": self.version}
            path = folder / "model.h5"
            path.write_bytes(h5_file(Group(attributes, {"model_weights": self.weights})))
            return path
        path = folder / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(_METADATA, json.dumps({"keras_version": self.version}))
            archive.writestr(_CONFIG, json.dumps(self.config))
            archive.writestr(_WEIGHTS, h5_file(self.weights))
        return path


def read_keras(path: Path) -> KerasFile:
    """Read a .keras file of tf_keras, a model saved as .h5, or a .h5 file with weights only.

    Raises:
        UserError: It does not exist, is another kind of file or damaged, or something in it is
            larger than the file allows.
    """
    content = _content(path)
    if content.startswith(_ZIP):
        return _read_zip(content, path)
    if not content.startswith(_HDF5):
        raise UserError(
            f"{path} cannot be read: it is neither an HDF5 file (.h5) nor a zip file (.keras)."
        )
    root = read_h5(content, str(path))
    weights = root.get("model_weights")
    text = root.attributes.get("model_config")
    version = root.attributes.get("keras_version")
    with _sentence(f"{path} cannot be read as a tf_keras model: its configuration is damaged."):
        return KerasFile(
            zipped=False,
            config=None if text is None else _table(str(text)),
            version=None if version is None else str(version),
            class_names=_class_names(root.attributes),
            weights=weights if isinstance(weights, Group) else root,
        )


def _content(path: Path) -> bytes:
    try:
        return read_bounded(path, LARGEST_ARRAYS)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None


def _read_zip(content: bytes, path: Path) -> KerasFile:
    with _sentence(f"{path} cannot be read as a tf_keras model; is it a .keras file?"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            config = _table(_member(archive, _CONFIG, _LARGEST_CONFIG, path))
            metadata: dict[str, Any] = {}
            if _METADATA in archive.namelist():
                metadata = _table(_member(archive, _METADATA, _LARGEST_CONFIG, path))
            most = min(LARGEST_ARRAYS, 16 * len(content) + 2**20)
            weights = _member(archive, _WEIGHTS, most, path)
            if LABELS in archive.namelist():
                labels = _member(archive, LABELS, _LARGEST_LABELS, path)
                metadata["labels"] = decode_text(labels, f"{LABELS} in {path}")
        version = metadata.get("keras_version")
        return KerasFile(
            zipped=True,
            config=config,
            version=None if version is None else str(version),
            class_names=_class_names(metadata),
            weights=read_h5(weights, f"{path}: {_WEIGHTS}"),
        )


def add_labels(path: Path, classes: Sequence[str]) -> None:
    """Store the names of the outputs in a .keras file, where `read_keras` finds them."""
    with zipfile.ZipFile(path, "a") as archive:
        # With a fixed date, equal contents give equal files.
        archive.writestr(zipfile.ZipInfo(LABELS, (1980, 1, 1, 0, 0, 0)), "\n".join(classes) + "\n")


def read_weights(path: Path) -> list[Stored]:
    """Return the weights of a .h5 file in the layout of Keras applications, or of a .keras file.

    Raises:
        UserError: It does not exist, is another kind of file, or is damaged.
    """
    if path.suffix not in (".h5", ".keras"):
        raise UserError(f"weights is {str(path)!r}; it must be imagenet, a .h5 or a .keras file.")
    read = read_keras(path)
    return _of_zip(read, path) if read.zipped else _of_h5(read, path)


def _of_zip(read: KerasFile, path: Path) -> list[Stored]:
    """The weights of a .keras file, layer by layer."""
    with _sentence(f"{path} cannot be read as a tf_keras model: its layers are not listed."):
        stored, seen = [], dict[str, int]()
        for layer in (read.config or {})["config"]["layers"]:
            # Keras names the groups after classes, in the order of the layers.
            kind = _snake_case(layer["class_name"])
            number = seen[kind] = seen.get(kind, -1) + 1
            group = read.weights.get(f"layers/{kind}_{number}" if number else f"layers/{kind}")
            if arrays := list(_arrays(group)) if isinstance(group, Group) else []:
                stored.append(Stored(str(layer["config"]["name"]), arrays))
        return stored


def _of_h5(read: KerasFile, path: Path) -> list[Stored]:
    """The weights of a .h5 file in the layout of Keras applications, layer by layer."""
    names = _names(read.weights, "layer_names")
    if not names:
        raise UserError(f"{path} is not a weights file in the layout of Keras applications.")
    stored = []
    for name in names:
        group = read.weights.get(name)
        if not isinstance(group, Group):
            raise UserError(f"{path} is damaged: it lacks the layer {name}.")
        keys = dict.fromkeys(_names(group, "weight_names"))
        arrays = [array for key in keys if isinstance(array := group.get(key), np.ndarray)]
        if len(arrays) < len(keys):
            raise UserError(f"{path} is damaged: it lacks weights of the layer {name}.")
        if arrays:
            stored.append(Stored(name, arrays))
    return stored


@contextmanager
def _sentence(text: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # damaged files make zipfile and JSON raise anything
        raise UserError(text) from error


def _member(archive: zipfile.ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Return a member of a zip file, reading at most `limit` bytes."""
    try:
        facts = archive.getinfo(name)
    except KeyError:
        raise UserError(
            f"{path} cannot be read as a tf_keras model: it is a zip without {name}."
        ) from None
    if facts.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Other methods cannot be stopped on the way.
        raise UserError(f"{path}: {name} is compressed by another method than deflate.")
    with archive.open(facts) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UserError(f"{path}: {name} unpacks to more than {limit:,} bytes; that is no model.")
    return content


def _table(content: str | bytes) -> dict[str, Any]:
    table = json.loads(content)
    if not isinstance(table, dict):
        raise ValueError
    return table


def _class_names(stored: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the class names in attributes or metadata, in the order of the outputs.

    They are a list, or text: one name per line, or JSON of a list or of a table between numbers
    and names, as Keras's generators of images have it.
    """
    value = next((stored[key] for key in _CLASS_NAMES if key in stored), None)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = text_lines(value)
    if isinstance(value, Mapping):
        value = _in_order(value)
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return tuple(name.strip() for name in value)
    return None


def _in_order(table: Mapping[str, Any]) -> list[Any] | None:
    """Return the names of a table from name to number, or from number to name."""
    if all(type(value) is int for value in table.values()):
        return sorted(table, key=table.__getitem__)
    if all(key.isdecimal() for key in table):
        return [table[key] for key in sorted(table, key=int)]
    return None


def _arrays(group: Group) -> Iterator[np.ndarray]:
    """The weights of a layer, and of the layers in it where it has none of its own."""
    own = group.get("vars")
    if isinstance(own, Group) and own.members:
        numbered = sorted(own.members.items(), key=lambda item: int(item[0]))
        yield from (member for _, member in numbered if isinstance(member, np.ndarray))
        return
    for name, member in group.members.items():
        if isinstance(member, Group) and name != "vars":
            yield from _arrays(member)


def _names(group: Group, name: str) -> list[str]:
    """Return a list of names; Keras splits one too long for HDF5 into name0, name1 and so on."""
    parts = itertools.takewhile(
        group.attributes.__contains__, (f"{name}{index}" for index in itertools.count())
    )
    keys = [name] if name in group.attributes else parts
    found = (group.attributes[key] for key in keys)
    return [name for names in found for name in ([names] if isinstance(names, str) else names)]


def _snake_case(name: str) -> str:
    """Return the name that Keras gives to a class: `DepthwiseConv2D` is `depthwise_conv2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
