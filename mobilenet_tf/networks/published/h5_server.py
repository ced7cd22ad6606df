"""The child process in which HDF5 reads files from outside; see `h5` for the other end.

HDF5 trusts the numbers in its files. What can be known beforehand is checked before anything is
allocated: arrays cannot be much larger than their file, and links lead to no other place.
"""

import io
import json
import math
import os
from typing import Any

import numpy as np

os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # no filters from the system: HDF5 would load their code

import h5py

from mobilenet_tf.core.serve import Content, serve

_MOST_OBJECTS = 100_000
_DEEPEST = 50
_UNUSED = ("optimizer", "optimizer_weights")  # at the top of a file; only training needs them


class _Reader:
    """Describes the groups and arrays of a file, and counts their bytes.

    Args:
        size: Bytes of the file.
        limit: Bytes that all arrays may have.
    """

    def __init__(self, size: int, limit: int):
        self.size, self.limit = size, limit
        self.arrays: list[h5py.Dataset] = []
        self.bytes = self.objects = 0
        self._seen: set[int] = set()

    def group(self, group: h5py.Group, depth: int = 0) -> dict[str, Any]:
        """Return the attributes and members of a group; of an array its dtype and shape."""
        if hash(group.id) in self._seen or depth > _DEEPEST:
            raise ValueError("its groups contain each other, or too many others")
        self._seen.add(hash(group.id))
        members: dict[str, Any] = {}
        for name in group:
            if depth == 0 and name in _UNUSED:
                continue
            self.objects += 1
            if self.objects > _MOST_OBJECTS:
                raise ValueError(f"it has more than {_MOST_OBJECTS:,} groups and arrays")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is a link to another place, which is not followed")
            item = group[name]
            if isinstance(item, h5py.Group):
                members[name] = self.group(item, depth + 1)
            else:
                members[name] = self._array(item, name)
        return {"attributes": self._attributes(group), "members": members}

    def _array(self, item: Any, name: str) -> list[Any]:
        if (
            not isinstance(item, h5py.Dataset)
            or item.dtype.kind not in "biuf"
            or item.shape is None
            or item.external
            or item.is_virtual
        ):
            raise ValueError(f"{name} is not an array of numbers in this file")
        self.arrays.append(item)
        self.bytes += math.prod(item.shape) * item.dtype.itemsize
        if self.bytes > self.limit:
            raise ValueError(
                f"its arrays need {self.bytes:,} bytes or more, and the file has {self.size:,}"
            )
        return [item.dtype.newbyteorder("=").name, list(item.shape)]

    def _attributes(self, group: h5py.Group) -> dict[str, Any]:
        """Return the attributes that are text or lists of text."""
        found = {}
        for name in group.attrs:
            stored = group.attrs.get_id(name)
            count = math.prod(stored.shape or ())
            if count * stored.dtype.itemsize > self.size:
                raise ValueError(f"the attribute {name} would need more bytes than the file has")
            text = stored.dtype.kind in "SU" or h5py.check_string_dtype(stored.dtype) is not None
            if text and stored.shape is not None:
                value = group.attrs[name]
                found[name] = [_text(one) for one in value] if stored.shape else _text(value)
        return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _answer(request: dict[str, Any], content: Content) -> tuple[dict[str, Any], bytearray]:
    """Return the text that describes a file, and after it the values of its arrays."""
    data = content.read()
    with h5py.File(io.BytesIO(data), "r") as file:
        reader = _Reader(len(data), request["limit"])
        described = json.dumps(reader.group(file)).encode()
        reply = bytearray(described)
        for array in reader.arrays:
            values = np.asarray(array[()], array.dtype.newbyteorder("="))
            if not np.isfinite(values).all():
                raise ValueError(f"{array.name} has values that are not numbers (NaN or infinite)")
            reply += values.tobytes()
    return {"described": len(described)}, reply


if __name__ == "__main__":
    serve(_answer)
