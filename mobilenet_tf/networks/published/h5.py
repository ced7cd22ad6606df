"""HDF5 files from outside, read in a child process, and written anew for Keras.

HDF5 is a library in C that damaged files can crash or fill. So this process never opens a file that
somebody else wrote: it receives the texts and arrays, and Keras reads a file made of them.
"""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobilenet_tf.core.child import Child, Tool

_HDF5 = Tool("HDF5", "read", "mobilenet_tf.networks.published.h5_server")
_MEMORY = 1 << 30  # bytes of the child, in addition to those of file and arrays
_SECONDS = 30.0
LARGEST_ARRAYS = 2 << 30  # bytes of all arrays; the largest MobileNet has 25 MB


@dataclass(frozen=True)
class Group:
    """A group of an HDF5 file.

    Attributes:
        attributes: Those that are text or a list of text.
        members: Groups and arrays by name.
    """

    attributes: Mapping[str, str | list[str]]
    members: Mapping[str, "Group | np.ndarray"]

    @property
    def size(self) -> int:
        """Number of values of all arrays."""
        return sum(member.size for member in self.members.values())

    def get(self, path: str) -> "Group | np.ndarray | None":
        """Return what lies at a path such as `layers/conv2d`; None if there is nothing."""
        found: Group | np.ndarray | None = self
        for name in filter(None, path.split("/")):
            found = found.members.get(name) if isinstance(found, Group) else None
        return found


def read_h5(content: bytes, name: str) -> Group:
    """Read an HDF5 file with weights in a child process.

    Args:
        content: The file.
        name: What errors call it.

    Raises:
        UserError: HDF5 cannot read it or crashes on it; it has links to other places, arrays of
            something else than finite numbers, or arrays that are much larger than the file.
    """
    # Weights hardly shrink: what unpacks to much more than the file holds is no model.
    limit = min(LARGEST_ARRAYS, 16 * len(content) + 2**20)
    # The child has the file, and each array in the library and in the reply.
    memory = _MEMORY + 2 * len(content) + 4 * limit
    child = Child(_HDF5, name, memory, reply_bytes=limit + 16 * len(content) + 2**20)
    reply, payload = child.ask("read", content, _SECONDS, limit=limit)
    return _Payload(memoryview(payload)[reply["described"] :]).group(
        json.loads(payload[: reply["described"]])
    )


class _Payload:
    """The values of arrays, one after the other in the order of their descriptions."""

    def __init__(self, values: memoryview):
        self._values = values

    def group(self, described: Mapping[str, Any]) -> Group:
        """Return a group with the arrays that follow."""
        members = {
            name: self.group(one) if isinstance(one, dict) else self._array(*one)
            for name, one in described["members"].items()
        }
        return Group(described["attributes"], members)

    def _array(self, dtype: str, shape: list[int]) -> np.ndarray:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        values, self._values = self._values[:size], self._values[size:]
        return np.frombuffer(values, dtype).reshape(shape)


def h5_file(group: Group) -> bytes:
    """Return an HDF5 file with the texts and arrays of a group."""
    import h5py

    def write(target: h5py.Group, source: Group) -> None:
        for name, text in source.attributes.items():
            target.attrs.create(name, text, dtype=h5py.string_dtype())
        for name, member in source.members.items():
            if isinstance(member, Group):
                write(target.create_group(name), member)
            else:
                target.create_dataset(name, data=member)

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        write(file, group)
    return stream.getvalue()
