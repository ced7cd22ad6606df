"""Load pictures with boxes from any source."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.labelled import Labelled, read_dataset, read_test
from mobilenet_tf.datasets.placed import Placed
from mobilenet_tf.datasets.scenes import MOST, Scene, scene_dataset
from mobilenet_tf.datasets.sources.annotations.boxes import (
    Annotations,
    Box,
    Boxed,
    labelled_boxes,
    place_boxes,
)
from mobilenet_tf.datasets.sources.annotations.coco import read_coco
from mobilenet_tf.datasets.sources.annotations.files import Files
from mobilenet_tf.datasets.sources.annotations.table import read_table
from mobilenet_tf.datasets.sources.annotations.voc import read_voc
from mobilenet_tf.datasets.sources.annotations.yolo import read_yolo
from mobilenet_tf.datasets.sources.listing import check_folder

DIGITS = tuple("0123456789")
_ACCEPTED = "a folder of pictures with boxes (VOC, COCO, YOLO or CSV), or `digits`"
# By the suffix of annotations; the first that has boxes is read. YOLO's comes last, because text
# files lie beside annotations of other formats, too.
_FORMATS: dict[str, Callable[[Files], Annotations]] = {
    ".xml": read_voc,
    ".json": read_coco,
    ".csv": read_table,
    ".txt": read_yolo,
}


def load_boxes(
    source: str,
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
    judge_depth: bool = True,
    arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
) -> Dataset:
    """Load pictures with boxes and assign them to splits.

    Labels are float32 (N, most, 6), see `place_boxes`.

    Args:
        source: `digits` for scenes of handwritten digits; or a folder with Pascal VOC's XML, COCO's
            JSON, a CSV table or YOLO's text files.
        input_spec: Input that the images are prepared for.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.
        judge_depth: As in `read_dataset`.
        arrangement: As for `read_dataset`.

    Raises:
        UserError: There is no such source, or no network can be trained on it.
    """
    if source == "digits":
        return scene_dataset(DIGITS, _place_digits, input_spec, seed, progress)
    return read_dataset(list_boxes(source), input_spec, seed, progress, judge_depth, arrangement)


def load_test_boxes(
    source: str,
    labels: Sequence[str],
    input_spec: InputSpec,
    seed: int = 0,
    progress: Progress | None = None,
) -> TestImages:
    """Load the pictures on which a finished detector is evaluated.

    Args:
        source: As for `load_boxes`.
        labels: Names of the model's classes; the boxes' classes are indices into them.
        input_spec: Input of the model.
        seed: Seed of the splits.
        progress: Called with the number of finished images and of all images.

    Raises:
        UserError: There is no such source, or its classes are not those of the model.
    """
    if source == "digits":
        return load_boxes(source, input_spec, seed, progress).tested_with(labels)
    return read_test(list_boxes(source, labels), input_spec, seed, progress)


def box_classes(source: str) -> tuple[str, ...]:
    """Return the names of a source's classes without reading its images.

    Raises:
        UserError: There is no such source, or it has no boxes.
    """
    return DIGITS if source == "digits" else list_boxes(source).listing.classes


def read_annotations(root: Path) -> Annotations:
    """Return the boxes in a folder, in whatever format they are.

    Raises:
        UserError: There are no annotations.
    """
    files = Files(root)
    empty = None
    for suffix, read in _FORMATS.items():
        if files.ending(suffix):
            found = read(files)
            found.skipped[:0] = files.skipped
            if any(picture.boxes for picture in found.pictures):
                return found
            empty = empty or found
    if empty is None:
        raise UserError(
            f"{root} has no boxes; annotations are Pascal VOC's .xml, COCO's .json, a .csv table "
            "or YOLO's .txt files."
        )
    return empty


def list_boxes(source: str, labels: Sequence[str] | None = None) -> Labelled:
    """List the pictures of a folder with their boxes.

    Args:
        source: The folder.
        labels: Names of a model's classes; None takes those of the source.

    Raises:
        UserError: There is no such folder, or it has no boxes, or those of another class.
    """
    root = check_folder(source, _ACCEPTED)
    return labelled_boxes(source, root, read_annotations(root), labels)


def _place_digits(scene: Scene, framing: Framing) -> Placed:
    boxes = tuple(
        Box(DIGITS[int(digit)], (float(left), float(top), float(right), float(bottom)))
        for left, top, right, bottom, digit in scene.boxes()
    )
    known = {name: index for index, name in enumerate(DIGITS)}
    return place_boxes(Boxed("scene", boxes), framing, known, MOST)
