"""What the facts about pictures say: duplicates, and pictures that are unusual."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from mobilenet_tf.core.records import from_plain
from mobilenet_tf.datasets.dataset import SPLITS
from mobilenet_tf.datasets.plain import printable, shown_names
from mobilenet_tf.datasets.shares import bundles
from mobilenet_tf.datasets.splitting import Listing
from mobilenet_tf.datasets.survey.facts import Facts

DARK = 40.0  # mean grey level; the darkest of 5,843 pictures of hands and clothes has 39
# Share of the median sharpness. A Gaussian blur of 2 pixels standard deviation in a picture of 192
# leaves at most a tenth of a picture's own sharpness.
BLURRED = 0.1
LONG = 3.0  # ratio of the sides
COLOURLESS, MOST_COLOURLESS = 3.0, 0.5  # mean difference of R, G, B; share from which it is usual
_SINGULAR = {"are": "is", "have": "has"}
_EXTENSIONS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jfif", ".jpe"), ("JPEG", "MPO")),
    **{f".{kind.lower()}": (kind,) for kind in ("PNG", "GIF", "BMP", "WEBP", "AVIF")},
}


@dataclass(frozen=True)
class Finding:
    """Pictures, or groups of pictures, with the same trait.

    Attributes:
        kind: Short name for programs.
        title: What is said of several pictures, such as "are dark".
        groups: The pictures, the worst first; of duplicates those that belong together.
        details: What is known of each group, a clause.
    """

    kind: str
    title: str
    groups: tuple[tuple[str, ...], ...]
    details: tuple[str, ...]

    @property
    def pictures(self) -> int:
        """Number of pictures."""
        return sum(map(len, self.groups))

    def __str__(self) -> str:
        if self.pictures != 1:
            return f"{self.pictures:,} images {self.title}"
        verb, _, rest = self.title.partition(" ")
        return f"1 image {_SINGULAR.get(verb, verb)} {rest}"

    def note(self) -> str:
        """Return the finding in a clause, with examples."""
        return f"{self} ({shown_names([name for group in self.groups for name in group])})"


def findings_of(values: Iterable[Any]) -> list[Finding]:
    """Return the findings that `to_plain` described."""
    return [from_plain(Finding, one, "finding") for one in values]


def findings(
    listing: Listing, facts: Sequence[Facts | str], splits: Mapping[str, Sequence[int]]
) -> list[Finding]:
    """Return what is to be said about the pictures of a source, the worst first.

    Args:
        listing: The pictures, with `alike` and `together`.
        facts: Facts of each, or why it cannot be read.
        splits: Split -> indices of its images.
    """
    return [
        *duplicates(listing, facts, splits),
        *separated(listing, splits),
        *unusual(listing.names, facts),
    ]


def labels(
    names: Sequence[str], *, refused: Mapping[int, str], repaired: Mapping[int, str]
) -> list[Finding]:
    """Return the findings about labels; the worst first.

    Args:
        names: Names of the pictures.
        refused: Index of a picture -> why its label cannot be used.
        repaired: Index of a picture -> what is repaired of its label.
    """
    return [
        Finding(
            kind,
            title,
            tuple((printable(names[row]),) for row in rows),
            tuple(rows.values()),
        )
        for kind, title, rows in (
            ("labels", "have labels that cannot be used", refused),
            ("repaired", "have labels that are repaired", repaired),
        )
        if rows
    ]


def notes_of_run(
    listing: Listing, facts: Sequence[Facts | str] | None, splits: Mapping[str, Sequence[int]]
) -> list[str]:
    """Return the findings that a run mentions, beside what it says of files that it decodes.

    Args:
        listing: As for `findings`.
        facts: As for `findings`; None if nothing is known.
        splits: As for `findings`.
    """
    found = [] if facts is None else findings(listing, facts, splits)
    return [one.note() for one in found if one.kind not in ("unreadable", "plain", "rotated")]


def duplicates(
    listing: Listing, facts: Sequence[Facts | str], splits: Mapping[str, Sequence[int]]
) -> list[Finding]:
    """Return the findings about pictures that are the same, or nearly so; the worst first.

    Args:
        listing: The pictures, with `alike`.
        facts: Facts of each, or why it cannot be read.
        splits: Split -> indices of its images.
    """
    split_of = _split_of(splits)
    groups: dict[int, list[int]] = {}
    for row, number in enumerate(listing.alike or ()):
        groups.setdefault(number, []).append(row)
    kinds: dict[str, list[list[int]]] = {
        name: [] for name in ("classes", "splits", "exact", "near")
    }
    for rows in groups.values():
        if len(rows) < 2:
            continue
        if len({split_of[row] for row in rows if row in split_of}) > 1:
            kinds["splits"].append(rows)
        if len({*_classes(listing, rows)}) > 1:
            kinds["classes"].append(rows)
        elif _same_content(rows, facts):
            kinds["exact"].append(rows)
        else:
            kinds["near"].append(rows)
    titles = {
        "classes": "are the same in several classes",
        "splits": "are the same in several splits",
        "exact": "have exact copies",
        "near": "have near duplicates",
    }

    def detail(rows: list[int]) -> str:
        same = "the same file" if _same_content(rows, facts) else "near duplicates"
        held = sorted({split_of[row] for row in rows if row in split_of}, key=SPLITS.index)
        classes = sorted({*_classes(listing, rows)})
        return "; ".join(filter(None, (same, " and ".join(classes), " and ".join(held))))

    return [
        Finding(
            name,
            titles[name],
            tuple(tuple(printable(listing.names[row]) for row in rows) for rows in found),
            tuple(map(detail, found)),
        )
        for name in kinds
        if (found := sorted(kinds[name], key=len, reverse=True))
    ]


def separated(listing: Listing, splits: Mapping[str, Sequence[int]]) -> list[Finding]:
    """Return the finding about groups whose pictures are in several splits; the largest first.

    Args:
        listing: The pictures, with `together`.
        splits: Split -> indices of its images.
    """
    split_of = _split_of(splits)
    groups = bundles(sorted(split_of), listing.together)
    found = [rows for rows in groups if len({split_of[row] for row in rows}) > 1]
    if not found:
        return []
    found.sort(key=len, reverse=True)
    counts = [Counter(split_of[row] for row in rows) for rows in found]
    return [
        Finding(
            "groups",
            "belong to groups that are in several splits",
            tuple(tuple(printable(listing.names[row]) for row in rows) for rows in found),
            tuple(", ".join(f"{one[split]:,} in {split}" for split in SPLITS) for one in counts),
        )
    ]


def _split_of(splits: Mapping[str, Sequence[int]]) -> dict[int, str]:
    """Return the split of each image that is in one."""
    return {row: split for split in SPLITS for row in splits.get(split, ())}


def _classes(listing: Listing, rows: Sequence[int]) -> list[str]:
    """Return the classes of some pictures; none where labels are no classes."""
    return [listing.classes[listing.labels[row]] for row in rows if listing.stratified]


def unusual(names: Sequence[str], facts: Sequence[Facts | str]) -> list[Finding]:
    """Return the findings about single pictures; the worst first.

    Args:
        names: Names of the pictures.
        facts: Facts of each, or why it cannot be read.
    """
    readable = [one for one in facts if not isinstance(one, str)]
    sharp = np.median([one.sharpness for one in readable]) if readable else 0.0
    grey = sum(map(_is_grey, readable))
    few_grey = grey <= MOST_COLOURLESS * len(readable)
    found: dict[str, list[tuple[float, str, str]]] = {name: [] for name in _TITLES}
    for name, one in zip(names, facts, strict=True):
        if isinstance(one, str):
            found["unreadable"].append((0, name, one))
            continue
        for kind, badness, detail in _traits(name, one, float(sharp), few_grey):
            found[kind].append((badness, name, detail))
    return [
        Finding(
            kind,
            _TITLES[kind],
            tuple((printable(name),) for _, name, _ in ordered),
            tuple(detail for *_, detail in ordered),
        )
        for kind, entries in found.items()
        if (ordered := sorted(entries))
    ]


_TITLES = {
    "unreadable": "cannot be read",
    "plain": "are of one colour, or nearly so",
    "dark": "are dark",
    "blurred": "are blurred",
    "aspect": "are unusually long",
    "grey": "are grey among colour pictures",
    "exif": "have an orientation that cannot be known",
    "rotated": "are stored rotated, with an EXIF orientation",
    "extension": "have another format than the extension says",
}


def _traits(
    name: str, one: Facts, usual_sharpness: float, few_grey: bool
) -> Iterator[tuple[str, float, str]]:
    """Yield kind, order (the worst first) and a clause for everything unusual about a picture."""
    if one.plain:
        yield "plain", one.brightness, f"mean grey level {one.brightness:.0f}"
        return
    if one.brightness < DARK:
        yield "dark", one.brightness, f"mean grey level {one.brightness:.0f} of 255"
    if one.sharpness < BLURRED * usual_sharpness:
        share = one.sharpness / usual_sharpness
        yield "blurred", share, f"{share:.1%} of the median sharpness"
    longer, shorter = max(one.size), min(one.size)
    if longer >= LONG * shorter:
        yield "aspect", -longer / shorter, f"{one.size[0]}x{one.size[1]}"
    if few_grey and _is_grey(one):
        yield "grey", one.colour, f"mode {one.mode}"
    if one.orientation == 0:
        yield "exif", 0, "its EXIF data are damaged or wrong"
    elif one.orientation != 1:
        yield "rotated", 0, f"EXIF orientation {one.orientation}"
    formats = _EXTENSIONS.get(PurePosixPath(name).suffix.lower())
    if formats and one.format not in formats:
        yield "extension", 0, f"it is {one.format}"


def sizes(facts: Sequence[Facts | str], most: int = 5) -> list[tuple[tuple[int, int], int]]:
    """Return the most frequent (width, height), and how many pictures have them."""
    return Counter(one.size for one in facts if not isinstance(one, str)).most_common(most)


def _is_grey(one: Facts) -> bool:
    return one.colour < COLOURLESS


def _same_content(rows: Sequence[int], facts: Sequence[Facts | str]) -> bool:
    known = [facts[row] for row in rows]
    return len({one if isinstance(one, str) else one.content for one in known}) == 1
