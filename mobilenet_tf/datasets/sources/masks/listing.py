"""Find the pictures and masks of a folder, without reading them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.sources.layout import split_of
from mobilenet_tf.datasets.sources.walk import children, files_below

IMAGES = ("images", "image", "imgs", "img", "jpegimages")
MASKS = ("masks", "mask", "labels", "annotations", "segmentationclass")
_SUFFIXES = ("_mask", "-mask")  # of a mask's name, after its picture's


class MaskedPicture(NamedTuple):
    """A picture file and the file of its mask.

    Attributes:
        name: Path of the picture relative to the folder, with forward slashes.
        mask: Path of the mask.
        split: One of `SPLITS`, or None if the folder has no splits.
    """

    name: str
    mask: Path
    split: str | None


def list_masks(root: Path) -> tuple[list[MaskedPicture], list[dict[str, str]]]:
    """List `images/` and `masks/`, either of which may hold the splits or lie in them.

    Returns:
        The pictures that have a mask, and {"file", "reason"} of what is left out.

    Raises:
        UserError: There are no such folders, or no picture has a mask.
        OSError: A folder cannot be read.
    """
    found: list[MaskedPicture] = []
    left_out: list[dict[str, str]] = []

    def note(path: Path, reason: str) -> None:
        left_out.append({"file": path.relative_to(root).as_posix(), "reason": reason})

    for split, images, masks in _parts(root):
        by_key: dict[str, Path] = {}
        for path in files_below(masks, [masks.resolve()], note):
            first = by_key.setdefault(_key(path, masks), path)
            if first is not path:
                note(path, f"{first.name} is a mask of the same picture")
        for path in files_below(images, [images.resolve()], note):
            mask = by_key.pop(_key(path, images), None)
            if mask is None:
                note(path, f"it has no mask in {masks.name}/")
            else:
                found.append(MaskedPicture(path.relative_to(root).as_posix(), mask, split))
        for path in by_key.values():
            note(path, f"it is a mask of no picture in {images.name}/")
    if not found:
        raise UserError(
            f"No picture in {root} has a mask; a mask has its picture's name, such as "
            "images/a.jpg and masks/a.png."
        )
    return found, left_out


def has_masks(root: Path) -> bool:
    """Return whether a folder is laid out as `list_masks` expects."""
    return any(True for _ in _parts(root))


def _parts(root: Path) -> Iterator[tuple[str | None, Path, Path]]:
    """Yield split, folder of pictures and folder of masks."""
    pair = _pair(root)
    if pair is None:
        for folder in children(root):
            inner = _pair(folder) if split_of(folder.name) else None
            if inner is not None:
                yield _split(folder), *inner
        return
    images, masks = pair
    splits = {folder.name: folder for folder in children(images) if split_of(folder.name)}
    below = {folder.name: folder for folder in children(masks) if folder.name in splits}
    if not below:
        yield None, images, masks
    for name, folder in below.items():
        yield _split(folder), splits[name], folder


def _pair(folder: Path) -> tuple[Path, Path] | None:
    found = {inner.name.lower(): inner for inner in children(folder)}
    images = next((found[name] for name in IMAGES if name in found), None)
    masks = next((found[name] for name in MASKS if name in found), None)
    return (images, masks) if images and masks else None


def _split(folder: Path) -> str:
    # "eval" is the test split here, because a validation split is taken from train if need be.
    split = split_of(folder.name)
    return "test" if split in (None, "evaluation") else str(split)


def _key(path: Path, top: Path) -> str:
    key = path.relative_to(top).with_suffix("").as_posix()
    for suffix in _SUFFIXES:
        key = key.removesuffix(suffix)
    return key
