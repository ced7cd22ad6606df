"""Read weights from .h5 and .keras files, without running anything that the files describe.

Nothing is allocated before it has been compared with the size of the file: an array cannot be
larger than the file that holds it, and links to other files are not followed.
"""

import io
import itertools
import json
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mobilenet_tf.core.errors import UserError

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST_CONFIG = 64 * 2**20  # bytes; the largest published networks need about 1 MB
_LARGEST_WEIGHTS = 2 * 2**30  # bytes; the largest MobileNet has 25 MB
_MOST_OBJECTS = 100_000


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
    """The content of a .keras file.

    Attributes:
        config: The configuration of the model.
        metadata: Such as the version of Keras.
        weights: An HDF5 file whose sizes have been checked.
    """

    config: dict[str, Any]
    metadata: dict[str, Any]
    weights: bytes


def read_weights(path: Path) -> list[Stored]:
    """Return the weights of a .h5 file in the layout of Keras applications, or of a .keras file.

    Raises:
        UserError: It does not exist, is another kind of file, or is damaged.
    """
    readers = {".h5": read_h5_weights, ".keras": read_keras_weights}
    if path.suffix not in readers:
        raise UserError(f"weights is {str(path)!r}; it must be imagenet, a .h5 or a .keras file.")
    if not path.is_file():
        raise UserError(f"{path} does not exist.")
    return readers[path.suffix](path)


def read_keras(path: Path) -> KerasFile:
    """Read a .keras file of tf_keras.

    Raises:
        UserError: It is damaged, or something in it is larger than the file allows.
    """
    with _sentence(f"{path} cannot be read as a tf_keras model; is it a .keras file?"):
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            config = _table(_member(archive, _CONFIG, _LARGEST_CONFIG, path))
            metadata: dict[str, Any] = {}
            if _METADATA in archive.namelist():
                metadata = _table(_member(archive, _METADATA, _LARGEST_CONFIG, path))
            # Weights hardly shrink; what unpacks to much more than the file holds is no model.
            weights = _member(archive, _WEIGHTS, min(_LARGEST_WEIGHTS, 16 * size + 2**20), path)
        with h5py.File(io.BytesIO(weights), "r") as file:
            _check(file, len(weights), path)
        return KerasFile(config, metadata, weights)


def read_keras_weights(path: Path) -> list[Stored]:
    """Return the weights of a .keras file, layer by layer.

    Raises:
        UserError: It is damaged, or something in it is larger than the file allows.
    """
    read = read_keras(path)
    with _sentence(f"{path} cannot be read as a tf_keras model: its layers are not listed."):
        layers = read.config["config"]["layers"]
        stored, seen, total = [], dict[str, int](), 0
        with h5py.File(io.BytesIO(read.weights), "r") as file:
            for layer in layers:
                # Keras names the groups after classes, in the order of the layers.
                kind = _snake_case(layer["class_name"])
                number = seen[kind] = seen.get(kind, -1) + 1
                group = file.get(f"layers/{kind}_{number}" if number else f"layers/{kind}")
                if arrays := [] if group is None else list(_arrays(group)):
                    stored.append(Stored(str(layer["config"]["name"]), arrays))
                    total = _add(total, arrays, len(read.weights), path)
        return stored


@contextmanager
def open_h5(path: Path, said: str) -> Iterator[h5py.File]:
    """Open an .h5 file whose sizes have been checked.

    Args:
        path: The file.
        said: The error where it cannot be read.

    Raises:
        UserError: It is damaged, or something in it is larger than the file.
    """
    with _sentence(said), h5py.File(path, "r") as file:
        _check(file, path.stat().st_size, path)
        yield file


def read_h5_weights(path: Path) -> list[Stored]:
    """Return the weights of an .h5 file in the layout of Keras applications, layer by layer.

    Raises:
        UserError: It is damaged, in another layout, or something in it is larger than the file.
    """
    with open_h5(path, f"{path} is damaged or not an HDF5 weights file.") as file:
        root = file.get("model_weights", file)  # a whole model saved as .h5
        names = _attribute(root, "layer_names")
        if not names:
            raise UserError(f"{path} is not a weights file in the layout of Keras applications.")
        stored, total = [], 0
        for name in names:
            group = root[name]
            keys = dict.fromkeys(_attribute(group, "weight_names"))
            arrays = [np.asarray(group[key]) for key in keys]
            if arrays:
                stored.append(Stored(name, arrays))
                total = _add(total, arrays, path.stat().st_size, path)
        return stored


@contextmanager
def _sentence(text: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # h5py and zipfile raise anything on damaged files
        raise UserError(text) from error


def _member(archive: zipfile.ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Return a member of a zip file, reading at most `limit` bytes."""
    with archive.open(name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UserError(f"{path}: {name} unpacks to more than {limit:,} bytes; that is no model.")
    return content


def _table(content: bytes) -> dict[str, Any]:
    table = json.loads(content)
    if not isinstance(table, dict):
        raise ValueError
    return table


def _arrays(group: h5py.Group) -> Iterator[np.ndarray]:
    """The weights of a layer, and of the layers in it where it has none of its own."""
    found = group.get("vars", {})
    if len(found):
        yield from (np.asarray(found[key]) for key in sorted(found, key=int))
        return
    for name in group:
        if isinstance(group[name], h5py.Group) and name != "vars":
            yield from _arrays(group[name])


def _check(file: h5py.File, size: int, path: Path) -> None:
    """Reject arrays that the file is too small for, and links out of the file."""
    groups, seen, total = [file], 0, 0
    visited = {file.id.__hash__()}
    while groups:
        group = groups.pop()
        _check_attributes(group, size, path)
        for name in group:
            seen += 1
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink) or seen > _MOST_OBJECTS:
                raise UserError(f"{path} holds links to other places, which are not followed.")
            item = group[name]
            if isinstance(item, h5py.Dataset):
                _check_attributes(item, size, path)
                if item.external or item.is_virtual or item.dtype.kind not in "biuf":
                    raise UserError(f"{path}: {name} is not an array of numbers in this file.")
                total += _bytes(item.shape, item.dtype)
            elif isinstance(item, h5py.Group) and item.id.__hash__() not in visited:
                visited.add(item.id.__hash__())
                groups.append(item)
    _check_size(total, size, path)


def _add(total: int, arrays: list[np.ndarray], size: int, path: Path) -> int:
    """Return the bytes read so far; reject a file that names the same arrays again and again."""
    total += sum(array.nbytes for array in arrays)
    _check_size(total, size, path)
    return total


def _check_size(total: int, size: int, path: Path) -> None:
    if total > size:
        raise UserError(
            f"{path} has {size:,} bytes, but its arrays need {total:,}; damaged or compressed "
            "files are not read."
        )


def _check_attributes(item: Any, size: int, path: Path) -> None:
    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        if _bytes(attribute.shape, attribute.dtype) > size:
            raise UserError(f"{path}: {name} would need more than the {size:,} bytes of the file.")


def _bytes(shape: tuple[int, ...] | None, dtype: np.dtype) -> int:
    return math.prod(shape or ()) * dtype.itemsize


def _attribute(group: h5py.Group, name: str) -> list[str]:
    """Return a list of names; Keras splits one too long for HDF5 into name0, name1 and so on."""
    parts = itertools.takewhile(
        group.attrs.__contains__, (f"{name}{index}" for index in itertools.count())
    )
    keys = [name] if name in group.attrs else parts
    found = [value for key in keys for value in group.attrs[key]]
    return [value.decode() if isinstance(value, bytes) else value for value in found]


def _snake_case(name: str) -> str:
    """Return the name that Keras gives to a class: `DepthwiseConv2D` is `depthwise_conv2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
