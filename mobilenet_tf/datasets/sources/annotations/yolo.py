"""Boxes in YOLO's text files: one per picture, a line per object, in shares of the picture."""

import re

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import decode_text, read_bounded, text_lines
from mobilenet_tf.datasets.sources.annotations.boxes import Annotations, Box, Boxed, Edges
from mobilenet_tf.datasets.sources.annotations.files import Files, numbers, split_in

_LARGEST = 2**20  # bytes of a picture's file
_NAMES = ("classes.txt", "obj.names", "labels.txt")
_MOST_CLASSES = 10_000
_SHARES = (1.0, 1.0)
# `names:` of data.yaml, in its three usual forms: [a, b], a line `- a` or a line `0: a` each.
_INLINE = re.compile(r"^names\s*:\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"^names\s*:[ \t]*(?:#.*)?\n((?:[ \t]*(?:-|\d+\s*:).*\n?|\s*\n)+)", re.MULTILINE
)
_ENTRY = re.compile(r"^[ \t]*(?:-|\d+\s*:)[ \t]*(.+?)[ \t]*(?:\s#.*)?$", re.MULTILINE)


def read_yolo(files: Files) -> Annotations:
    """Read the text file of every picture; a picture without one shows background only.

    Class names are those of `data.yaml`, `classes.txt` or `obj.names`; without them they are the
    numbers. Polygons are read as the boxes around them.
    """
    found = Annotations(_class_names(files))
    texts = {_key(name): name for name in files.ending(".txt")}
    for picture in files.pictures():
        name = texts.get(_key(picture))
        boxes: list[Box] = []
        if name:
            try:
                text = decode_text(read_bounded(files.root / name, _LARGEST), name)
            except (UserError, FileNotFoundError):
                found.skip(name, "it cannot be read as text of bounded size")
                continue
            for line in text_lines(text):
                box = _box(line.split(), found.classes)
                if isinstance(box, Box):
                    boxes.append(box)
                elif line.strip():
                    found.skip(name, box)
        found.pictures.append(Boxed(picture, tuple(boxes), _SHARES, split_in(picture)))
    return found


def _key(name: str) -> str:
    """Return what a picture and its text have in common: `images/` stands for `labels/`."""
    folders = [folder for folder in name.split("/")[:-1] if folder not in ("images", "labels")]
    return "/".join([*folders, name.rpartition("/")[2].rpartition(".")[0]])


def _box(words: list[str], classes: tuple[str, ...]) -> Box | str:
    """Return the object of a line, or why there is none."""
    values = numbers(words)
    if values is None or len(values) < 5:
        return "a line has no class and four numbers"
    number, shape = values[0], values[1:]
    if not number.is_integer() or not 0 <= number < (len(classes) or _MOST_CLASSES):
        return f"a line has the class {words[0][:20]}, which is not listed"
    label = classes[int(number)] if classes else str(int(number))
    if len(shape) in (4, 5):  # a fifth is the score of a prediction
        x, y, width, height = shape[:4]
        edges: Edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif len(shape) % 2:
        return "a polygon has an odd number of coordinates"
    else:
        edges = (min(shape[0::2]), min(shape[1::2]), max(shape[0::2]), max(shape[1::2]))
    return Box(label, edges)


def _class_names(files: Files) -> tuple[str, ...]:
    for name in files.names:
        base = name.rpartition("/")[2]
        if base in _NAMES or base.endswith((".yaml", ".yml")):
            text = decode_text(read_bounded(files.root / name, _LARGEST), name)
            names = [line.strip() for line in text_lines(text)] if base in _NAMES else _yaml(text)
            if names and len(set(names)) == len(names) and all(names):
                return tuple(names)
    return ()


def _yaml(text: str) -> list[str]:
    """Return the class names of data.yaml, of which nothing else is needed."""
    if inline := _INLINE.search(text):
        entries = inline[1].split(",")
    elif block := _BLOCK.search(text):
        entries = _ENTRY.findall(block[1])
    else:
        return []
    return [entry.strip().strip("'\"") for entry in entries if entry.strip()]
