"""Load pictures with masks from any source."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.images import Picture, UnreadableImage
from mobilenet_tf.datasets.labelled import Labelled, Placed, UnusableLabel, read_dataset, read_test
from mobilenet_tf.datasets.masks import inside_padding, prepared_mask
from mobilenet_tf.datasets.scenes import Scene, scene_dataset
from mobilenet_tf.datasets.sources.listing import check_folder
from mobilenet_tf.datasets.sources.masks.code import Code, code_of
from mobilenet_tf.datasets.sources.masks.listing import MaskedPicture, list_masks
from mobilenet_tf.datasets.splitting import Listing

SCENE_CLASSES = ("background", *"0123456789")
_SAME_SHAPE = 0.01  # largest difference of the aspect ratios of a picture and its mask
_SCANNED = InputSpec(1, channels=1)  # where only the facts of masks are read


def load_masks(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
) -> Dataset:
    """Load pictures with masks and assign them to splits.

    Args:
        source: `digits`, or a folder with `images/` and `masks/`; see `listing` and `code`.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: See `read_dataset`.

    Raises:
        UserError: There is no such source, or no network can be trained on it.
    """
    if source == "digits":
        return scene_dataset(SCENE_CLASSES, _scene_mask, input_spec, seed, progress)
    found = _found(source)
    with _labelled(found, input_spec) as labelled:
        return read_dataset(labelled, input_spec, seed, progress, judge_depth)


def load_test_masks(
    source: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the pictures on which a finished model is evaluated; see `load_masks` and `read_test`.

    Args:
        source: As for `load_masks`.
        labels: Names of the model's classes, which those of the masks must be among.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such source, or it has other classes.
    """
    if source == "digits":
        data = load_masks(source, input_spec, seed, progress)
        if data.classes != tuple(labels):
            raise UserError(f"The classes of {source} are not those of the model.")
        return TestImages(data.test, data.skipped, data.notes)
    found = _found(source)
    found = replace(found, code=found.code.renamed(labels))
    with _labelled(found, input_spec) as labelled:
        return read_test(labelled, input_spec, seed, progress)


def mask_classes(source: str) -> tuple[str, ...]:
    """Return the names of a source's classes.

    Raises:
        UserError: There is no such source, or it has no classes.
    """
    return SCENE_CLASSES if source == "digits" else _found(source).code.classes


def _scene_mask(scene: Scene, stored: InputSpec) -> np.ndarray:
    return prepared_mask(scene.mask(), stored)


@dataclass(frozen=True)
class _Found:
    """What a folder holds."""

    source: str
    root: Path
    pictures: list[MaskedPicture]
    code: Code
    skipped: list[dict[str, str]]


def _found(source: str) -> _Found:
    """Return the pictures of a folder whose masks can be read, and what their values mean."""
    root = check_folder(source)
    listed, skipped = list_masks(root)
    pictures, facts = [], []
    with Decoders(len(listed), reader="mask") as masks:
        read = masks.read([picture.mask for picture in listed], _SCANNED)
        for picture, mask in zip(listed, read, strict=True):
            if isinstance(mask, UnreadableImage):
                skipped.append({"file": picture.name, "reason": f"its mask: {mask.reason}"})
            else:
                pictures.append(picture)
                facts.append(mask.facts or {})
    if not pictures:
        raise UserError(f"{root} has no readable masks, such as {skipped[-1]['file']}.")
    return _Found(source, root, pictures, code_of(facts, root), skipped)


@contextmanager
def _labelled(found: _Found, input_spec: InputSpec) -> Iterator[Labelled]:
    """Yield the pictures; their masks are read when they are."""
    with Decoders(1, reader="mask") as masks:

        def place(path: Any, framing: Framing) -> Placed:
            stored = replace(input_spec, size=framing.sides[::-1], channels=1)
            (mask,) = masks.read([path], stored)
            if isinstance(mask, UnreadableImage):
                raise UnusableLabel(f"its mask: {mask.reason}")
            repairs = _suits(mask, framing)
            table, more = found.code.table(mask.facts or {})
            sides = mask.framing.size[::-1]
            return Placed(inside_padding(table[mask.pixels[..., 0]], stored, sides), repairs + more)

        yield Labelled(
            source=found.source,
            root=found.root,
            listing=_listing(found),
            place=place,
            skipped=found.skipped,
        )


def _listing(found: _Found) -> Listing:
    splits = [picture.split for picture in found.pictures]
    return Listing(
        classes=found.code.classes,
        names=[picture.name for picture in found.pictures],
        labels=[picture.mask for picture in found.pictures],
        splits=None if None in splits else [str(split) for split in splits],
        stratified=False,
    )


def _suits(mask: Picture, framing: Framing) -> list[str]:
    """Return what is repaired so that a mask lies on its picture.

    Raises:
        UnusableLabel: It has another shape.
    """
    (width, height), (across, down) = framing.size, mask.framing.size
    sizes = f"{across}x{down} pixels (width x height), the picture {width}x{height}"
    if (across, down) == (width, height):
        return []
    if (down, across) == (width, height):
        raise UnusableLabel(
            f"its mask has {sizes} after it was turned upright as its EXIF orientation says; save "
            "the mask upright"
        )
    if abs(across * height / (down * width) - 1) > _SAME_SHAPE:
        raise UnusableLabel(f"its mask has {sizes}, another shape")
    return [f"its mask has {sizes}; it was resized"]
