"""Load pictures with masks from any source."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.labels import check_label
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.images import Picture, UnreadableImage
from mobilenet_tf.datasets.labelled import Labelled, read_dataset, read_test
from mobilenet_tf.datasets.masks import inside_padding, prepared_mask, shown_classes
from mobilenet_tf.datasets.placed import Placed, UnusableLabel
from mobilenet_tf.datasets.scenes import Scene, scene_dataset
from mobilenet_tf.datasets.sources.annotations.boxes import annotated_once
from mobilenet_tf.datasets.sources.annotations.coco import read_coco_objects
from mobilenet_tf.datasets.sources.annotations.files import Files
from mobilenet_tf.datasets.sources.listing import check_folder
from mobilenet_tf.datasets.sources.masks.code import Code, code_of
from mobilenet_tf.datasets.sources.masks.listing import MaskedPicture, has_masks, list_masks
from mobilenet_tf.datasets.sources.masks.outlines import BACKGROUND, place_outlines
from mobilenet_tf.datasets.splitting import Listing

SCENE_CLASSES = ("background", *"0123456789")
_ACCEPTED = "a folder with images/ and masks/ or with COCO's outlines, or `digits`"
_SAME_SHAPE = 0.01  # largest difference of the aspect ratios of a picture and its mask
_SCANNED = InputSpec(1, channels=1, fit="stretch")  # shows all of a mask


def load_masks(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load pictures with masks and assign them to splits.

    Args:
        source: `digits` for scenes of handwritten digits; or a folder with `images/` and `masks/`,
            see `listing` and `code`; or with COCO's outlines.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: See `read_dataset`.
        arrangement: As for `read_dataset`.

    Raises:
        UserError: There is no such source, or no network can be trained on it.
    """
    if source == "digits":
        return scene_dataset(SCENE_CLASSES, _scene_mask, input_spec, seed, progress)
    with list_masked(source, input_spec) as labelled:
        return read_dataset(labelled, input_spec, seed, progress, judge_depth, arrangement)


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
        return load_masks(source, input_spec, seed, progress).tested_with(labels)
    with list_masked(source, input_spec, labels) as labelled:
        return read_test(labelled, input_spec, seed, progress)


def mask_classes(source: str) -> tuple[str, ...]:
    """Return the names of a source's classes.

    Raises:
        UserError: There is no such source, or it has no classes.
    """
    if source == "digits":
        return SCENE_CLASSES
    with list_masked(source, _SCANNED) as labelled:
        return labelled.listing.classes


def _scene_mask(scene: Scene, framing: Framing) -> Placed:
    return Placed(prepared_mask(scene.mask(), framing))


@contextmanager
def list_masked(
    source: str, input_spec: InputSpec = _SCANNED, labels: Sequence[str] | None = None
) -> Iterator[Labelled]:
    """Yield the pictures of a folder, which can be read until the block ends.

    Args:
        source: The folder.
        input_spec: Input that the pictures are for.
        labels: Names of a model's classes; None takes those of the source.

    Raises:
        UserError: There is no such folder, or it has neither masks nor outlines.
    """
    root = check_folder(source, _ACCEPTED)
    if not has_masks(root):
        yield _outlined(source, root, labels)
        return
    masked, skipped = list_masks(root)
    masked, code = _readable(root, masked, skipped)
    code = code.renamed(labels) if labels else code
    with Decoders(1) as masks:

        def place(path: Any, framing: Framing) -> Placed:
            stored = replace(input_spec, size=framing.sides[::-1], channels=1)
            (mask,) = masks.read([path], stored, "mask")
            if isinstance(mask, UnreadableImage):
                raise UnusableLabel(f"its mask: {mask.reason}")
            repairs = _suits(mask, framing)
            table, more = code.table(mask.facts or {})
            classes = table[mask.pixels[..., 0]]
            inside = inside_padding(classes, mask.framing)
            return Placed(inside, repairs + more, shown_classes(inside))

        names, paths, splits = zip(*masked, strict=True)
        listing = _listing(code.classes, names, paths, splits)
        yield Labelled(source=source, root=root, listing=listing, place=place, skipped=skipped)


def _outlined(source: str, root: Path, labels: Sequence[str] | None) -> Labelled:
    files = Files(root)
    found = read_coco_objects(files)
    pictures, twice = annotated_once(found.pictures)
    if not pictures:
        first = [f"; {entry['file']}: {entry['reason']}" for entry in found.skipped[:1]]
        raise UserError(
            f"{root} has no masks: it needs images/ and masks/, or COCO's outlines in .json files"
            f"{''.join(first)}."
        )
    own = (BACKGROUND, *found.classes)
    classes = tuple(labels or own)
    for name in own:
        check_label(name, f"A class in {root}")
        if name not in classes:
            raise UserError(
                f"{root} has outlines of the class {name!r}, which is none of the model's: "
                f"{', '.join(classes)}."
            )
    place = partial(place_outlines, classes=[classes.index(name) for name in found.classes])
    names, splits = zip(*((one.name, one.split) for one in pictures), strict=True)
    listing = _listing(classes, names, pictures, splits)
    skipped = [*files.skipped, *found.skipped, *twice]
    return Labelled(source=source, root=root, listing=listing, place=place, skipped=skipped)


def _readable(
    root: Path, listed: list[MaskedPicture], skipped: list[dict[str, str]]
) -> tuple[list[MaskedPicture], Code]:
    """Return the pictures whose masks can be read, and what their values mean."""
    pictures, facts = [], []
    with Decoders(len(listed)) as masks:
        read = masks.read([picture.mask for picture in listed], _SCANNED, "mask")
        for picture, mask in zip(listed, read, strict=True):
            if isinstance(mask, UnreadableImage):
                skipped.append({"file": picture.name, "reason": f"its mask: {mask.reason}"})
            else:
                pictures.append(picture)
                facts.append(mask.facts or {})
    if not pictures:
        raise UserError(f"{root} has no readable masks, such as {skipped[-1]['file']}.")
    return pictures, code_of(facts, root)


def _listing(
    classes: tuple[str, ...],
    names: Sequence[str],
    labels: Sequence[Any],
    splits: Sequence[str | None],
) -> Listing:
    known = [split or "train" for split in splits] if any(splits) else None
    return Listing(classes, names, labels, known, stratified=False)


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
