"""`Dataset`: pictures in memory with their labels, and how they are shared out."""

import hashlib
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.images import prepare

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.datasets.stream import Stream

PARTS = ("train", "validation", "test")
# What is taken from each class of the training pictures for a part that the source lacks.
HELD_OUT = 0.15
# Training pictures are kept this much larger than the input, so zooming in stays sharp.
MARGIN = 1.15
# Above this an array lives in a temporary file and the system keeps what fits in memory.
MEMORY_LIMIT = 4 * 2**30

Progress = Callable[[int, int], None]  # pictures done, pictures in all


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures of one purpose.

    Attributes:
        pictures: uint8 (N, side, side, channels), an array or a memory map.
        labels: int64 (N,), indices into the data set's classes.
        names: where each picture came from, relative to the source.
    """

    pictures: np.ndarray
    labels: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def balanced(self, count: int, seed: int) -> "Split":
        """`count` of the pictures, all classes alike."""
        rows = balanced(self.labels, count, seed)
        return Split(self.pictures[rows], self.labels[rows], [self.names[row] for row in rows])

    def sample(self, count: int, seed: int, spec: InputSpec) -> "Split":
        """`count` of the pictures at `spec.side`, unchanged, all classes alike."""
        few = self.balanced(count, seed)
        return replace(few, pictures=at_size(few.pictures, spec.side))

    def feed(self, digest, part: str) -> None:
        """Give a hash all that tells these pictures, of a part, from others."""
        digest.update(repr((part, self.pictures.shape, self.names)).encode())
        digest.update(np.asarray(self.labels, "<i8").tobytes())
        for picture in self.pictures:
            digest.update(np.ascontiguousarray(picture))


@dataclass(frozen=True, eq=False)
class Dataset:
    """All pictures of one source.

    Attributes:
        source: what the user named.
        classes: names, in the order of the labels.
        train: pictures at `train_side(size)`, or a `Stream`, which makes them when asked.
        validation: pictures at size, exactly as `prepare` makes them; for choices.
        test: the same; for the final figures only.
        skipped: {"file": ..., "reason": ...} of everything that was left out.
        fingerprint: hash of classes, pixels, labels and names: equal for equal data.
    """

    source: str
    classes: tuple[str, ...]
    train: "Split | Stream"
    validation: Split
    test: Split
    skipped: list[dict] = field(default_factory=list)
    fingerprint: str = ""

    def __post_init__(self):
        object.__setattr__(self, "fingerprint", self.fingerprint or _fingerprint(self))


def train_side(size: int) -> int:
    """Side at which training pictures are kept, for an input of side `size`."""
    return round(size * MARGIN)


def side_of(part: str, size: int) -> int:
    """Side at which the pictures of a part are kept."""
    return train_side(size) if part == "train" else size


def share_out(
    names: Sequence[str],
    labels: Sequence[int],
    parts: Sequence[str],
    classes: Sequence[str],
    seed: int,
) -> dict[str, np.ndarray]:
    """Which pictures train, validate and test.

    A part that the source has is used as it is. One it lacks takes 15 % of each class, at least
    one picture, from train. Which ones depends on the seed and on the pictures' names only, by
    their hash, so a picture keeps its part when others are added or files are listed in another
    order.

    Args:
        names: of all pictures.
        labels: of all pictures.
        parts: where the source puts each picture, one of `PARTS`; "train" if it does not say.
        classes: names of the labels.
        seed: chooses another sharing out.

    Returns:
        Part -> indices, sorted by name.

    Raises:
        UserError: fewer than two classes, or one with too few pictures.
    """
    if len(classes) < 2:
        raise UserError(f"The data has {len(classes)} class; at least 2 are needed.")
    labels, parts = np.asarray(labels), np.asarray(parts)
    missing = [part for part in PARTS[1:] if part not in parts]
    chosen = {part: list(np.flatnonzero(parts == part)) for part in PARTS}
    chosen["train"] = []
    for label, name in enumerate(classes):
        members = np.flatnonzero((labels == label) & (parts == "train"))
        if len(members) <= len(missing):
            raise UserError(
                f"Class {name!r} has {len(members)} readable pictures to train with; at least "
                f"{1 + len(missing)} are needed{' to train, validate and test' * bool(missing)}."
            )
        members = sorted(members, key=lambda index: _rank(names[index], seed))
        share = max(1, int(HELD_OUT * len(members) + 0.5))
        for part in missing:
            chosen[part] += members[:share]
            members = members[share:]
        chosen["train"] += members
    return {
        part: np.array(sorted(indices, key=lambda index: names[index]), int)
        for part, indices in chosen.items()
    }


def _rank(name: str, seed: int) -> bytes:
    # macOS writes an accent as a character of its own, Linux does not.
    name = unicodedata.normalize("NFC", name)
    return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()


def from_images(
    source: str,
    classes: Sequence[str],
    images: Iterable[Image.Image],
    names: Sequence[str],
    labels: Sequence[int],
    parts: Sequence[str],
    spec: InputSpec,
    seed: int,
    progress: Progress | None,
) -> Dataset:
    """A data set of pictures that are decoded one after another.

    Args:
        images: mode RGB, in the order of `names`, `labels` and `parts`.

    The others are those of `share_out` and `load_data`.
    """
    chosen = share_out(names, labels, parts, classes, seed)
    place = {index: (part, row) for part in PARTS for row, index in enumerate(chosen[part])}
    pictures = {}
    for part in PARTS:
        side = side_of(part, spec.side)
        pictures[part] = allocate((len(chosen[part]), side, side, spec.channels))
    for index, image in enumerate(images):
        part, row = place[index]
        pictures[part][row] = prepare(image, side_of(part, spec.side), spec.channels, spec.crop)
        if progress:
            progress(index + 1, len(names))
    splits = {
        part: Split(
            pictures[part],
            np.array([labels[index] for index in chosen[part]], np.int64),
            [names[index] for index in chosen[part]],
        )
        for part in PARTS
    }
    return Dataset(source, tuple(classes), **splits)


def allocate(shape: tuple[int, ...]) -> np.ndarray:
    """A uint8 array, in memory or, above `MEMORY_LIMIT`, mapped to a temporary file.

    Raises:
        UserError: the disk has no room for the file.
    """
    needed = int(np.prod(shape, dtype=np.int64))
    if needed <= MEMORY_LIMIT:
        return np.empty(shape, np.uint8)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    # A memory map on a full disk ends the process without a word.
    if needed > free:
        raise UserError(
            f"The pictures need {needed / 2**30:.1f} GB in {folder}, which has "
            f"{free / 2**30:.1f} GB free; set TMPDIR to a larger disk or use a smaller size."
        )
    with tempfile.TemporaryFile() as file:  # gone with the last reference to the map
        return np.memmap(file, np.uint8, "w+", shape=shape)


def keep_rows(pictures: np.ndarray, kept: Sequence[int]) -> np.ndarray:
    """The given rows, ascending, moved together in place: the array may not fit twice."""
    for row, source in enumerate(kept):
        if row != source:
            pictures[row] = pictures[source]
    return pictures[: len(kept)]


def at_size(pictures: np.ndarray, size: int) -> np.ndarray:
    """uint8 (N, side, side, c) -> (N, size, size, c), by Pillow's resize; as is if side == size.

    A picture scaled twice is within a few grey levels of one scaled once by `prepare`.
    """
    if pictures.shape[1] == size:
        return pictures
    scaled = [
        np.asarray(
            Image.fromarray(np.squeeze(picture)).resize((size, size), Image.Resampling.BILINEAR)
        )
        for picture in pictures
    ]
    return np.stack(scaled).reshape(len(pictures), size, size, pictures.shape[3])


def balanced(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices of `count` pictures, all classes in turn: for calibration and previews.

    Fewer where there are no more pictures. Sorted.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        turn[members] = np.arange(len(members))
    return np.sort(order[np.argsort(turn[order], kind="stable")][:count])


def _fingerprint(data: Dataset) -> str:
    digest = hashlib.sha256(repr(data.classes).encode(errors="surrogateescape"))
    for part in PARTS:
        getattr(data, part).feed(digest, part)
    return digest.hexdigest()[:16]
