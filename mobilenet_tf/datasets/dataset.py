"""`Dataset`: images with their labels, in a training, a validation and a test split."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import LARGEST_SIDE, InputSpec
from mobilenet_tf.core.labels import check_labels
from mobilenet_tf.datasets.resizing import resized

SPLITS = ("train", "validation", "test")
# Training images are stored larger than the input by this factor, so that zooming in stays sharp.
MARGIN = 1.15
_HASHED = 4096  # labels at a time; masks may be more than fit into memory twice

Progress = Callable[[int, int], None]  # number of finished images, number of all images


class TrainingImages(Protocol):
    """Training images: a `Split` in memory, or a `Stream` that decodes them when needed."""

    def __len__(self) -> int: ...

    @property
    def labels(self) -> np.ndarray:
        """Labels (N, ...), as in `Split`."""

    def sample(self, count: int, seed: int, input_spec: InputSpec) -> "Split":
        """Return up to `count` images without augmentation, at the size of the input."""

    def update_digest(self, digest: Any, name: str) -> None:
        """Update a hash with everything that identifies these images as the split `name`."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images in memory with their labels.

    Attributes:
        images: uint8 array or memory map (N, height, width, channels).
        labels: Array (N, ...) of what the task learns: int64 (N,) where these are indices into
            the dataset's classes, and (N, 0) for images without labels.
        names: Name of each image, relative to the source.
    """

    images: np.ndarray
    labels: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def labelled(self) -> bool:
        """Whether it is known what the images show."""
        return self.labels.shape[1:] != (0,)

    def subset(self, rows: np.ndarray) -> "Split":
        """Return the images at these indices."""
        return Split(self.images[rows], self.labels[rows], [self.names[row] for row in rows])

    def balanced(self, count: int, seed: int) -> "Split":
        """Return `count` of the images, balanced over the classes where labels are such."""
        return self.subset(balanced(self.labels, count, seed))

    def sample(self, count: int, seed: int, input_spec: InputSpec) -> "Split":
        """Return `count` of the images, as `balanced` does, at the size of the input."""
        few = self.balanced(count, seed)
        return replace(few, images=rescale(few.images, input_spec))

    def update_digest(self, digest: Any, name: str) -> None:
        """Update a hash with everything that identifies these images as the split `name`."""
        digest.update(repr((name, self.images.shape, self.names)).encode())
        for labels in np.array_split(self.labels, max(1, len(self.labels) // _HASHED)):
            digest.update(labels.astype(labels.dtype.newbyteorder("<")).tobytes())
        for image in self.images:
            digest.update(np.ascontiguousarray(image))


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of one source.

    Attributes:
        source: Source as the user named it.
        classes: Names of the classes, in the order of the labels.
        train: Training images at the size of `with_margin(input_spec)`, or a `Stream`.
        validation: Images exactly as `prepare` makes them, for choices during training.
        test: Images exactly as `prepare` makes them, for the final metrics only.
        skipped: {"file": ..., "reason": ...} of every file that was left out.
        repaired: {"file": ..., "reason": ...} of every repair of a label.
        notes: What else the user should know about the images, a clause each.
        together: Name of an image -> number of those that folds must not separate: a group's, or
            near duplicates. Images that stand alone are left out.
        white_level: `InputSpec.white_level` that the images were read with.
        fingerprint: Hash of classes, pixels, labels and names: equal for equal datasets.
    """

    source: str
    classes: tuple[str, ...]
    train: TrainingImages
    validation: Split
    test: Split
    skipped: list[dict[str, str]] = field(default_factory=list)
    repaired: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    together: Mapping[str, int] = field(default_factory=dict)
    white_level: float | None = None
    fingerprint: str = ""

    def __post_init__(self) -> None:
        check_labels(self.classes)
        object.__setattr__(self, "fingerprint", self.fingerprint or _fingerprint(self))

    def tested_with(self, labels: Sequence[str], parts: str = "classes") -> "TestImages":
        """Return the test split for a model with these classes.

        Args:
            labels: Names of the model's classes.
            parts: What errors call them.

        Raises:
            UserError: They are not those of the dataset.
        """
        if self.classes != tuple(labels):
            raise UserError(f"The {parts} of {self.source} are not those of the model.")
        return TestImages(self.test, self.skipped, self.notes, self.repaired)


class TestImages(NamedTuple):
    """The images on which a finished model is evaluated.

    Attributes:
        images: The images.
        skipped, notes, repaired: As in `Dataset`.
        classes: Names of the classes of the labels; None if they are those of the model.
    """

    images: Split
    skipped: list[dict[str, str]]
    notes: list[str]
    repaired: Sequence[dict[str, str]] = ()
    classes: tuple[str, ...] | None = None


def with_margin(input_spec: InputSpec) -> InputSpec:
    """Return the input, `MARGIN` times as large, for which training images are stored."""
    height, width = (
        min(round(side * MARGIN), LARGEST_SIDE) for side in (input_spec.height, input_spec.width)
    )
    return replace(input_spec, size=(height, width))


def stored_input(split: str, input_spec: InputSpec) -> InputSpec:
    """Return the input for which the images of a split are stored."""
    return with_margin(input_spec) if split == "train" else input_spec


def rescale(images: np.ndarray, input_spec: InputSpec) -> np.ndarray:
    """Resize stored images to the input with its filter; return them if they fit already.

    An image that was stored larger is then resized twice. images.py has the measured difference
    from `prepare`.

    Args:
        images: uint8 array (N, any height, any width, channels).
        input_spec: Input that the images are for.

    Returns:
        uint8 array (N, height, width, channels).
    """
    if images.shape[1:3] == (input_spec.height, input_spec.width):
        return images
    size = input_spec.width, input_spec.height
    scaled = [
        np.asarray(resized(Image.fromarray(np.squeeze(image)), size, input_spec.resize))
        for image in images
    ]
    return np.stack(scaled).reshape(len(images), *input_spec.shape)


def balanced(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Choose `count` images, one of each class in turn, for calibration and previews.

    Labels that are no classes, but boxes or masks, count as those of one class.

    Returns:
        Sorted indices, fewer than `count` if there are fewer images.
    """
    if labels.ndim > 1:
        labels = np.zeros(len(labels), int)
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        turn[members] = np.arange(len(members))
    return np.sort(order[np.argsort(turn[order], kind="stable")][:count])


def _fingerprint(data: Dataset) -> str:
    digest = hashlib.sha256(repr(data.classes).encode(errors="surrogateescape"))
    for name in SPLITS:
        getattr(data, name).update_digest(digest, name)
    return digest.hexdigest()[:16]
