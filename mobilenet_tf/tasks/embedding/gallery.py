"""A gallery: names with the vectors of some of their images, in a small file.

Vectors of two models cannot be compared, so a gallery belongs to the file that made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json
from mobilenet_tf.core.labels import check_label
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.core.settings import choice, number
from mobilenet_tf.networks.embed import LARGEST_DIMENSION

_LARGEST_FILE = 2**26  # bytes
_MOST = 10_000  # entries
_TOLERANCE = 1e-2  # of the length of a stored vector
_HASH = 64  # hexadecimal digits


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An image of somebody or something.

    Attributes:
        name: Who or what it shows.
        image: The file that the vector was made from.
        vector: Vector of length 1.
    """

    name: str
    image: str
    vector: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Images by name, as one model sees them.

    Attributes:
        kind: Says what the file is.
        model: SHA-256 of the `.tflite` file, hexadecimal.
        dimension: Length of its vectors.
        entries: The images.
    """

    kind: str = choice("gallery")
    model: str
    dimension: int = number(least=1, most=LARGEST_DIMENSION)
    entries: tuple[Entry, ...] = ()

    def __post_init__(self) -> None:
        """Reject what no gallery can have.

        Raises:
            UserError: There are too many entries, a name cannot be shown, or a vector has another
                dimension or is not of length 1.
        """
        if len(self.model) != _HASH or not set(self.model) <= set("0123456789abcdef"):
            raise UserError(f"model is {self.model[:80]!r}; it must be a SHA-256 in hexadecimal.")
        if len(self.entries) > _MOST:
            raise UserError(f"It has {len(self.entries):,} entries; at most {_MOST:,} are read.")
        for index, entry in enumerate(self.entries):
            check_label(entry.name, f"entries[{index}].name")
            length = float(np.linalg.norm(entry.vector))
            if len(entry.vector) != self.dimension or abs(length - 1) > _TOLERANCE:
                raise UserError(
                    f"entries[{index}].vector has {len(entry.vector)} values and length "
                    f"{length:.3g}; it must have {self.dimension} and length 1."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted({entry.name for entry in self.entries}))

    def with_images(
        self, name: str, images: Sequence[str], vectors: Sequence[Sequence[float]]
    ) -> "Gallery":
        """Return the gallery with images of a name; one that it has already is replaced.

        Raises:
            UserError: See `Gallery`.
        """
        new = tuple(
            Entry(name=name, image=image, vector=tuple(vector))
            for image, vector in zip(images, vectors, strict=True)
        )
        kept = (one for one in self.entries if one.name != name or one.image not in images)
        return replace(self, entries=(*kept, *new))

    def similarities(self, vector: Sequence[float]) -> dict[str, float]:
        """Return, per name, the cosine with the most similar image of it; the highest first."""
        stored = np.array([entry.vector for entry in self.entries])
        found: dict[str, float] = {}
        for entry, cosine in zip(self.entries, stored @ np.asarray(vector), strict=True):
            found[entry.name] = max(float(cosine), found.get(entry.name, -1.0))
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def read_gallery(path: Path, model: str, file: str) -> Gallery:
    """Read the gallery of a model.

    Args:
        path: The gallery.
        model: SHA-256 of the model's file.
        file: Name of that file in errors.

    Raises:
        UserError: It cannot be read, is no gallery, or was made by another model.
    """
    gallery: Gallery = from_plain(Gallery, read_json(path, _LARGEST_FILE), f"{path}:", strict=True)
    if gallery.model != model:
        raise UserError(
            f"{path} was made by another model than {file}, whose vectors cannot be compared with "
            "its own; enroll the images again into another gallery."
        )
    return gallery


def write_gallery(path: Path, gallery: Gallery) -> None:
    """Write a gallery atomically.

    Raises:
        UserError: It cannot be written.
    """
    values: dict[str, Any] = to_plain(gallery)
    write_json(path, values)
