"""Annotations in COCO's JSON: one file per split, with pictures, categories and objects."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json
from mobilenet_tf.datasets.sources.annotations.boxes import Annotations, Box, Boxed, Edges
from mobilenet_tf.datasets.sources.annotations.files import Files, numbers, split_in

_LARGEST = 512 * 2**20  # bytes; instances_train2017.json has 450 MB
_PARTS = ("images", "categories", "annotations")


class CocoObject(NamedTuple):
    """An object in a picture.

    Attributes:
        category: Index into `CocoFile.classes`.
        annotation: Its entry of `annotations`, not checked further.
    """

    category: int
    annotation: dict[str, Any]


class CocoPicture(NamedTuple):
    """A picture and its objects.

    Attributes:
        name: Path relative to the folder.
        size: Width and height as annotated; None if they are no positive numbers.
        objects: Its objects.
        split: Split that the names of folders or of the JSON file stand for, or None.
    """

    name: str
    size: tuple[float, float] | None
    objects: list[CocoObject]
    split: str | None


class CocoFile(NamedTuple):
    """What the JSON files of a folder hold.

    Attributes:
        classes: Names of the categories in the order of their numbers.
        pictures: The pictures that exist.
        skipped: {"file", "reason"} of what cannot be used.
    """

    classes: tuple[str, ...]
    pictures: list[CocoPicture]
    skipped: list[dict[str, str]]


def read_coco(files: Files) -> Annotations:
    """Read the boxes of every JSON file below a folder. Crowds are ignored."""
    read = read_coco_objects(files)
    found = Annotations(read.classes, skipped=read.skipped)
    for picture in read.pictures:
        boxes = []
        for one in picture.objects:
            edges = _edges(one.annotation.get("bbox"))
            if edges is None:
                found.skip(picture.name, "one of its objects has no box of four numbers")
            else:
                crowd = one.annotation.get("iscrowd") in (1, True)
                boxes.append(Box(read.classes[one.category], edges, crowd))
        found.pictures.append(Boxed(picture.name, tuple(boxes), picture.size, picture.split))
    return found


def read_coco_objects(files: Files) -> CocoFile:
    """Read the pictures and objects of every JSON file that is COCO's; others are left out."""
    found = CocoFile((), [], [])
    classes: list[str] = []
    for name in files.ending(".json"):
        try:
            content = read_json(files.root / name, _LARGEST)
            if not isinstance(content, dict) or not all(
                isinstance(content.get(part), list) for part in _PARTS
            ):
                raise UserError("it is no annotation of COCO")
        except (UserError, OSError) as error:
            found.skipped.append({"file": name, "reason": _reason(error)})
            continue
        categories = dict(_categories(content["categories"]))
        classes += [label for label in categories.values() if label not in classes]
        index = {number: classes.index(label) for number, label in categories.items()}
        _read(files, name, content, index, found)
    return found._replace(classes=tuple(classes))


def _reason(error: Exception) -> str:
    return "it is no JSON of COCO" if isinstance(error, UserError) else str(error)


def _categories(entries: list[Any]) -> Iterator[tuple[Any, str]]:
    """Yield number and name of each category, sorted by number."""
    known = [
        entry
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("id"), int)
        and isinstance(entry.get("name"), str)
    ]
    for entry in sorted(known, key=lambda entry: entry["id"]):
        yield entry["id"], entry["name"]


def _read(
    files: Files, name: str, content: dict[str, Any], index: dict[Any, int], found: CocoFile
) -> None:
    """Add the pictures of one JSON file."""
    objects: defaultdict[Any, list[CocoObject]] = defaultdict(list)
    for entry in content["annotations"]:
        picture = entry.get("image_id") if isinstance(entry, dict) else None
        if not isinstance(picture, int | str):
            found.skipped.append({"file": name, "reason": "an annotation has no picture"})
        elif not isinstance(entry.get("category_id"), int) or entry["category_id"] not in index:
            reason = "an annotation has a category that is not listed"
            found.skipped.append({"file": name, "reason": reason})
        else:
            objects[picture].append(CocoObject(index[entry["category_id"]], entry))
    used: set[Any] = set()
    for entry in content["images"]:
        named = entry.get("file_name") if isinstance(entry, dict) else None
        number = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(named, str) or not isinstance(number, int | str):
            found.skipped.append({"file": name, "reason": "a picture has no file_name or id"})
            continue
        used.add(number)
        path = files.picture(named, name)
        if path is None:
            found.skipped.append({"file": named[:200], "reason": "the picture is missing"})
            continue
        sides = numbers((entry.get("width"), entry.get("height")))
        size = (sides[0], sides[1]) if sides and all(0 < side < 1e6 for side in sides) else None
        split = split_in(path) or split_in(f"{_words(name)}/")
        found.pictures.append(CocoPicture(path, size, objects[number], split))
    for number in objects.keys() - used:
        reason = f"it has annotations of the picture {number!r}, which is not listed"
        found.skipped.append({"file": name, "reason": reason})


def _words(name: str) -> str:
    """Return the words of a JSON file's name as folders: instances_val2017 -> instances/val2017."""
    return name.rpartition("/")[2].rpartition(".")[0].replace("_", "/").replace("-", "/")


def _edges(bbox: Any) -> Edges | None:
    """Return the edges of left, top, width and height."""
    values = numbers(bbox) if isinstance(bbox, list) and len(bbox) == 4 else None
    if values is None:
        return None
    left, top, width, height = values
    return left, top, left + width, top + height
