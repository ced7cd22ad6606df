"""Arrays of images and labels that may be larger than memory."""

import shutil
import tempfile

import numpy as np
from numpy.typing import DTypeLike

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split

# Larger arrays are mapped to a temporary file, which the system caches as far as memory allows.
MEMORY_LIMIT = 4 * 2**30


def allocate(shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> np.ndarray:
    """Return an empty array, mapped to a temporary file if it exceeds `MEMORY_LIMIT` bytes.

    Raises:
        UserError: The disk has no room for the file.
    """
    needed = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if needed <= MEMORY_LIMIT:
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    # Writing to a memory map on a full disk would kill the process without a message.
    if needed > free:
        raise UserError(
            f"The images need {needed / 2**30:.1f} GB in {folder}, which has "
            f"{free / 2**30:.1f} GB free; set TMPDIR to a larger disk or use a smaller size."
        )
    with tempfile.TemporaryFile() as file:  # deleted with the last reference to the map
        return np.memmap(file, dtype, "w+", shape=shape)


class Rows:
    """The images and labels of a split, which are put in row by row.

    Args:
        count: Number of rows.
        stored: Input that the images are prepared for.
    """

    def __init__(self, count: int, stored: InputSpec) -> None:
        self._count = count
        self._images = allocate((count, *stored.shape))
        self._labels = np.empty(0, np.int64)

    def put(self, row: int, pixels: np.ndarray, label: np.ndarray) -> None:
        """Set one row."""
        if not len(self._labels):  # the first label tells what all are like
            self._labels = allocate((self._count, *label.shape), label.dtype)
        self._images[row], self._labels[row] = pixels, label

    def split(self, names: list[str]) -> Split:
        """Return the first rows, which have these names."""
        return Split(self._images[: len(names)], self._labels[: len(names)], names)
