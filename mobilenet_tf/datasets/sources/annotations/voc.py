"""Boxes in Pascal VOC's XML: one file per picture, beside it or in `Annotations/`."""

from xml.etree import ElementTree

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import decode_text, read_bounded
from mobilenet_tf.datasets.sources.annotations.boxes import Annotations, Box, Boxed, Edges
from mobilenet_tf.datasets.sources.annotations.files import Files, numbers, split_in

_LARGEST = 4 * 2**20  # bytes of an annotation
_LISTS = "ImageSets/Main/"  # VOC's lists of splits; others there belong to single classes
_EDGES = ("xmin", "ymin", "xmax", "ymax")


class _Refused(Exception):
    """An annotation cannot be used; the text is the reason."""


def read_voc(files: Files) -> Annotations:
    """Read every XML file below a folder.

    The picture of an annotation is the one that has its name, or that it names. The split follows
    from the folders' names or from VOC's lists. Difficult objects are ignored.
    """
    found = Annotations()
    splits = _listed_splits(files)
    annotated = set()
    for name in files.ending(".xml"):
        stem = name.rpartition("/")[2].rpartition(".")[0]
        try:
            root = _parsed(files, name)
            # Names in files are older than the files' own: pictures are renamed with their boxes.
            named = (stem, _text(root, "filename"))
            picture = next(filter(None, (files.picture(one, name) for one in named)), None)
            if picture is None:
                raise _Refused("its picture is missing")
            boxes = tuple(_box(element) for element in root.findall("object"))
        except _Refused as error:
            found.skip(name, str(error))
            continue
        annotated.add(picture)
        found.pictures.append(
            Boxed(picture, boxes, _size(root), split_in(picture) or splits.get(stem))
        )
    for picture in files.pictures():
        if picture not in annotated:
            found.skip(picture, "it has no annotation")
    return found


def _parsed(files: Files, name: str) -> ElementTree.Element:
    try:
        text = decode_text(read_bounded(files.root / name, _LARGEST), name)
    except (UserError, FileNotFoundError) as error:
        raise _Refused("it cannot be read as text of bounded size") from error
    if "<!DOCTYPE" in text.upper():  # the door to entities, which can grow without bound
        raise _Refused("it has a document type, which is not read")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise _Refused("it is not valid XML") from error
    if root.tag != "annotation":
        raise _Refused("it is no annotation of Pascal VOC")
    return root


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _size(root: ElementTree.Element) -> tuple[float, float] | None:
    """Return width and height; None for those of 0 that some tools write."""
    sides = numbers((_text(root, "size/width"), _text(root, "size/height")))
    return (sides[0], sides[1]) if sides and all(0 < side < 1e6 for side in sides) else None


def _box(element: ElementTree.Element) -> Box:
    label = _text(element, "name")
    edges = numbers(_text(element, f"bndbox/{edge}") for edge in _EDGES)
    if not label:
        raise _Refused("one of its objects has no name")
    if edges is None:
        raise _Refused(f"the object {label!r} has no box")
    left, top, right, bottom = edges
    found: Edges = left, top, right, bottom
    return Box(label, found, _text(element, "difficult") == "1")


def _listed_splits(files: Files) -> dict[str, str]:
    """Return the stem of each picture -> its split, from VOC's lists."""
    found: dict[str, str] = {}
    for split, stem in (("train", "train"), ("validation", "val"), ("test", "test")):
        for name in files.names:
            if name.endswith(f"{_LISTS}{stem}.txt"):
                text = decode_text(read_bounded(files.root / name), name)
                found |= {line.split()[0]: split for line in text.splitlines() if line.strip()}
    return found
