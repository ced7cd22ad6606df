"""Pictures with boxes, from any format: what each reader returns, and how boxes are repaired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing
from mobilenet_tf.core.labels import check_label, same_name
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.datasets.placed import Placed, UnusableLabel
from mobilenet_tf.datasets.splitting import Listing

MOST_BOXES = 1000  # of a picture
FIELDS = 6  # of a box in `Split.labels`: edges, class, whether it is neither found nor missed
_INSIDE = 0.25  # smallest share of a box that must lie in its picture
_SLACK = 1.5  # pixels by which boxes of formats that count from 1 reach outside
_SHAPE = 0.03  # largest relative difference of width / height in a file and in its annotation
Edges = tuple[float, float, float, float]  # left, top, right, bottom


class Box(NamedTuple):
    """An object as its file describes it.

    Attributes:
        label: Name of its class.
        edges: In the unit of `Boxed.size`.
        ignored: Whether it is neither to be found nor to be missed: COCO's crowds, VOC's difficult.
    """

    label: str
    edges: Edges
    ignored: bool = False


@dataclass(frozen=True)
class Boxed:
    """A picture with its objects.

    Attributes:
        name: Path of the picture, relative to the source's folder.
        boxes: Its objects; none in a picture that shows background only.
        size: Width and height that the edges refer to: (1, 1) for shares of the picture, None for
            pixels of a picture whose size the annotation does not tell.
        split: Split that the source assigns it to, or None.
    """

    name: str
    boxes: tuple[Box, ...]
    size: tuple[float, float] | None = None
    split: str | None = None


@dataclass
class Annotations:
    """What a reader found.

    Attributes:
        classes: Names of the classes, in the order of the source; empty where only boxes tell.
        pictures: The pictures.
        skipped: {"file", "reason"} of annotations that cannot be used.
    """

    classes: tuple[str, ...] = ()
    pictures: list[Boxed] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Note that a file cannot be used."""
        self.skipped.append({"file": name, "reason": reason})


def labelled_boxes(
    source: str, root: Path, found: Annotations, labels: Sequence[str] | None = None
) -> Labelled:
    """Return the pictures of a source, ready to be decoded.

    Args:
        source: Source as the user named it.
        root: Its folder.
        found: What a reader found.
        labels: Names of a model's classes; None takes those of the source.

    Raises:
        UserError: There are no boxes, a class has a name that cannot be written into a model, or
            it is not among the labels.
    """
    used = sorted({same_name(box.label) for one in found.pictures for box in one.boxes})
    if not used:
        first = [f"; {entry['file']}: {entry['reason']}" for entry in found.skipped[:1]]
        raise UserError(f"{root} has no pictures with boxes{''.join(first)}.")
    classes = tuple(labels or found.classes or used)
    for name in classes:
        check_label(name, f"A class in {root}")
    known = {same_name(name): index for index, name in enumerate(classes)}
    for name in used:
        if name not in known:
            raise UserError(
                f"{root} has boxes of the class {name!r}, which is none of the model's "
                f"classes: {', '.join(classes)}."
            )
    pictures, skipped = _usable(found)
    most = max(1, *(len(one.boxes) for one in pictures)) if pictures else 1
    splits = [one.split for one in pictures]
    return Labelled(
        source=source,
        root=root,
        listing=Listing(
            classes,
            names=[one.name for one in pictures],
            labels=pictures,
            splits=[split or "train" for split in splits] if any(splits) else None,
            stratified=False,
        ),
        place=partial(place_boxes, known=known, most=most),
        skipped=skipped,
    )


def _usable(found: Annotations) -> tuple[list[Boxed], list[dict[str, str]]]:
    """Return the pictures that are annotated once, with a bounded number of boxes."""
    pictures, twice = annotated_once(found.pictures)
    skipped = [*found.skipped, *twice]
    for one in pictures:
        if len(one.boxes) > MOST_BOXES:
            reason = f"it has {len(one.boxes):,} boxes; at most {MOST_BOXES:,} are read"
            skipped.append({"file": one.name, "reason": reason})
    return [one for one in pictures if len(one.boxes) <= MOST_BOXES], skipped


class Named(Protocol):
    """Anything that was read for a picture."""

    @property
    def name(self) -> str:
        """Path of the picture."""


Annotated = TypeVar("Annotated", bound=Named)


def annotated_once(
    found: Iterable[Annotated],
) -> tuple[list[Annotated], list[dict[str, str]]]:
    """Return the first annotation of each picture, and {"file", "reason"} of the others."""
    first: dict[str, Annotated] = {}
    others = [one.name for one in found if first.setdefault(one.name, one) is not one]
    reason = "it is annotated twice; the first counts"
    return [*first.values()], [{"file": name, "reason": reason} for name in others]


def place_boxes(picture: Boxed, framing: Framing, known: dict[str, int], most: int) -> Placed:
    """Return the boxes of a picture in shares of the input.

    Boxes of which the input shows nothing are dropped; those of which it shows less than a quarter
    are neither to be found nor to be missed.

    Args:
        picture: The picture with its boxes.
        framing: How it lies in the input.
        known: Class name -> class.
        most: Number of rows.

    Returns:
        float32 (most, 6), see `tasks.detection.Detection`.

    Raises:
        UnusableLabel: The boxes are those of a picture of another shape.
    """
    width, height = framing.size
    across, down = picture.size or framing.size
    if picture.size not in (None, (1, 1)) and not _same_shape(across / down, width / height):
        raise UnusableLabel(
            f"its boxes are for a picture of {across:g}x{down:g} pixels (width x height), but it "
            f"has {width}x{height} when it is upright"
        )
    rows = np.full((most, FIELDS), -1, np.float32)
    repairs: list[str] = []
    seen: set[tuple[object, ...]] = set()
    count = 0
    for box in picture.boxes:
        scale = np.array([width / across, height / down] * 2)
        edges, reason = repaired_edges(np.array(box.edges, float) * scale, width, height)
        if edges is not None and (box.label, *edges.round(2)) in seen:
            edges, reason = None, "a box that was given twice was dropped"
        if reason:
            repairs.append(reason)
        if edges is None:
            continue
        seen.add((box.label, *edges.round(2)))
        shares = framing.shares(edges.reshape(2, 2)).ravel()
        shown = np.clip(shares, 0, 1)
        visible = _area(shown) / _area(shares)
        if visible > 0:
            ignored = box.ignored or visible < _INSIDE
            rows[count] = (*shown, known[same_name(box.label)], ignored)
            count += 1
    return Placed(rows, sorted(repairs), np.unique(rows[:count, 4]).astype(int).tolist())


def repaired_edges(
    edges: np.ndarray, width: float, height: float
) -> tuple[np.ndarray | None, str | None]:
    """Return the edges of a box within its picture, and what was wrong with it.

    Args:
        edges: Left, top, right and bottom in pixels.
        width: Width of the picture.
        height: Height of the picture.

    Returns:
        The repaired edges, or None if the box is dropped; and the reason, or None.
    """
    if not np.isfinite(edges).all():
        return None, "a box with a coordinate that is not a number was dropped"
    corners = edges.reshape(2, 2)
    ordered = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    inside = np.clip(ordered, 0, [width, height, width, height])
    if min(ordered[2:] - ordered[:2]) < 1:
        return None, "a box of less than a pixel was dropped"
    if not min(inside[2:] - inside[:2]) > 0:
        return None, "a box outside the picture was dropped"
    if _area(inside) < _INSIDE * _area(ordered):
        return None, "a box that lies mostly outside the picture was dropped"
    if (ordered != edges).any():
        return inside, "a box with exchanged edges was turned around"
    if np.abs(inside - ordered).max() > _SLACK:
        return inside, "a box that reaches outside the picture was cut"
    return inside, None


def _area(edges: np.ndarray) -> float:
    return float((edges[2] - edges[0]) * (edges[3] - edges[1]))


def _same_shape(ratio: float, other: float) -> bool:
    return abs(ratio / other - 1) <= _SHAPE
