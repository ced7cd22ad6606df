"""Which class a value or a colour of a mask means: decided over all masks of a dataset.

- A file `classes.txt` names the classes in the order of the values 0, 1, ...; a colour such as
  `#ff0000` after a name stands for the class in coloured masks.
- Without it, every value that occurs is a class; 255 is ignored.
- Greys with two values are background and object, whatever the values are. So are greys that lie
  close to black and white, as lossy formats and smooth outlines leave them.
- The index into a palette is the value. Where the palettes of files differ, the colour decides.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import check_label, same_name
from mobilenet_tf.core.reading import read_text_file
from mobilenet_tf.datasets.masks import COLOUR, GREY, IGNORED, PALETTE
from mobilenet_tf.datasets.placed import UnusableLabel

CLASSES_FILE = "classes.txt"
TWO = ("background", "object")
_VOID = "#e0e0c0"  # of outlines in Pascal VOC's coloured masks
_MOST = 254  # classes
_SHADES = 4  # of almost white, which indices of classes do not reach
_NEAR = 16  # grey levels from black and white
_ALMOST_ALL = 0.95
_LARGEST_FILE = 2**16

Facts = Mapping[str, Any]  # of a mask; see `read_mask`
_NAMED_COLOUR = re.compile(r"(.*?)[\s,;]*(#[0-9a-f]{6})", re.IGNORECASE)


@dataclass(frozen=True)
class Code:
    """Classes, and the values and colours that mean them.

    Attributes:
        classes: Their names.
        values: Grey or index into the palette -> class.
        colours: Colour, such as `#ff0000` -> class.
        palette: Index -> its colour in most files.
        smooth: Whether greys from 128 on are the second class, and the others the first.
    """

    classes: tuple[str, ...]
    values: Mapping[int, int] = field(default_factory=dict)
    colours: Mapping[str, int] = field(default_factory=dict)
    palette: Mapping[int, str] = field(default_factory=dict)
    smooth: bool = False

    def renamed(self, labels: Sequence[str]) -> "Code":
        """Return the same meanings as places in a list of labels.

        Raises:
            UserError: A class is not among the labels.
        """
        places = {same_name(label): place for place, label in enumerate(labels)}
        for name in self.classes:
            if same_name(name) not in places:
                raise UserError(
                    f"The masks have the class {name!r}, which is none of the model's: "
                    f"{', '.join(labels)}."
                )
        moved = [places[same_name(name)] for name in self.classes]
        return replace(
            self,
            classes=tuple(labels),
            values={value: moved[label] for value, label in self.values.items()},
            colours={colour: moved[label] for colour, label in self.colours.items()},
        )

    def table(self, facts: Facts) -> tuple[np.ndarray, list[str]]:
        """Return the class of each value of one mask, uint8 (256,), and what was repaired.

        Raises:
            UnusableLabel: No pixel has a known class.
        """
        table, repairs = np.full(256, IGNORED, np.uint8), []
        pixels = {int(value): count for value, count in facts["pixels"].items()}
        if self.smooth and facts["kind"] == GREY:
            table[:128], table[128:] = self.values[0], self.values[255]
            between = sum(count for value, count in pixels.items() if 0 < value < 255)
            return table, [f"{between:,} pixels of its mask are neither black nor white"] * bool(
                between
            )
        colours = {int(value): colour for value, colour in facts["colours"].items()}
        by_colour = facts["kind"] == COLOUR
        if facts["kind"] == PALETTE and any(
            self.palette.get(value, colour) != colour for value, colour in colours.items()
        ):
            by_colour = True
            repairs.append("its mask has another palette than most; the colours decide")
        unknown = Counter[str]()
        for value, count in pixels.items():
            key = colours[value] if by_colour else value
            label = self.colours.get(str(key)) if by_colour else self.values.get(value)
            if label is not None:
                table[value] = label
            elif key not in (IGNORED, _VOID):
                unknown[str(key)] += count
        if all(table[value] == IGNORED for value in pixels):
            raise UnusableLabel(f"its mask has no known class, but {', '.join(unknown) or IGNORED}")
        if unknown:
            named = ", ".join(sorted(unknown)[:5])
            repairs.append(
                f"{unknown.total():,} pixels of its mask have no known class ({named}) and are "
                "ignored"
            )
        return table, repairs


def code_of(masks: Sequence[Facts], root: Path) -> Code:
    """Return the code of all masks of a folder, which may hold a `classes.txt`.

    Raises:
        UserError: The masks have fewer than two classes or too many, or the file is not accepted.
    """
    named = _named(root / CLASSES_FILE)
    greys = Counter[int]()
    for facts in masks:
        if facts["kind"] == GREY:
            greys.update({int(value): count for value, count in facts["pixels"].items()})
    palette = _usual_palette(masks)
    indices = {value for value in palette if value != IGNORED}
    if named:
        return _from_names(named, palette, greys if not palette else Counter())
    if greys and not palette:
        if two := _two_values(greys):
            return Code(TWO, {value: place for place, value in enumerate(two)})
        if _is_smooth(greys):
            return Code(TWO, {0: 0, 255: 1}, smooth=True)
    values = sorted((indices | set(greys)) - {IGNORED})
    colours = {palette[value]: place for place, value in enumerate(values) if value in palette}
    classes = tuple(map(str, values))
    if not values:
        shades = {colour for facts in masks for colour in facts["colours"].values()} - {_VOID}
        classes = tuple(sorted(shades))
        colours = {colour: place for place, colour in enumerate(classes)}
    if not 2 <= len(classes) <= _MOST:
        raise UserError(
            f"The masks of {root} have {len(classes)} classes; at least 2 and at most {_MOST} are "
            f"needed. Name them in {CLASSES_FILE}, one per line."
        )
    return Code(classes, {value: place for place, value in enumerate(values)}, colours, palette)


def _from_names(
    named: list[tuple[str, str]], palette: Mapping[int, str], greys: Counter[int]
) -> Code:
    classes = tuple(name for name, _ in named)
    values = {place: place for place in range(len(classes))}
    smooth = False
    if len(classes) == 2 and (two := _two_values(greys)):
        values = {value: place for place, value in enumerate(two)}
    elif len(classes) == 2 and _is_smooth(greys):
        values, smooth = {0: 0, 255: 1}, True
    colours = {palette[value]: place for value, place in values.items() if value in palette}
    colours |= {colour: place for place, (_, colour) in enumerate(named) if colour}
    return Code(classes, values, colours, palette, smooth)


def _two_values(greys: Counter[int]) -> list[int] | None:
    return sorted(greys) if len(greys) == 2 else None


def _is_smooth(greys: Counter[int]) -> bool:
    if not greys:
        return False
    near = sum(count for value, count in greys.items() if not _NEAR <= value <= 255 - _NEAR)
    shades = sum(255 - _NEAR < value < 255 for value in greys)
    return min(greys) < _NEAR and shades >= _SHADES and near >= _ALMOST_ALL * greys.total()


def _usual_palette(masks: Sequence[Facts]) -> dict[int, str]:
    colours: dict[int, Counter[str]] = {}
    for facts in masks:
        if facts["kind"] == PALETTE:
            for value, colour in facts["colours"].items():
                colours.setdefault(int(value), Counter())[colour] += 1
    return {value: found.most_common(1)[0][0] for value, found in colours.items()}


def _named(path: Path) -> list[tuple[str, str]]:
    """Return names and colours of the classes; none if there is no such file."""
    if not path.exists():
        return []
    found = []
    for line in read_text_file(path, _LARGEST_FILE).splitlines():
        match = _NAMED_COLOUR.fullmatch(line.strip())
        name, colour = match.groups() if match else (line.strip(), "")
        if name:
            check_label(name, f"A class in {path}")
            found.append((name, colour.lower()))
    if not 2 <= len(found) <= _MOST or len({name for name, _ in found}) < len(found):
        raise UserError(
            f"{path} names {len(found)} classes; it must name 2 to {_MOST} different ones, one "
            "per line."
        )
    return found
