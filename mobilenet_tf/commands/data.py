"""`data`: look at pictures before a network is trained on them."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.outcomes.pictures import PictureSurvey
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import check_writable
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.records import to_plain
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.images import Picture
from mobilenet_tf.datasets.load import is_bundled, require_name
from mobilenet_tf.datasets.survey.findings import sizes
from mobilenet_tf.datasets.survey.survey import Survey, survey
from mobilenet_tf.deployment.report.data_page import shown_pictures, write_data_page
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK
from mobilenet_tf.tasks.task import Task

_THUMBNAIL = InputSpec(132, 3, fit="pad")


@applicable
def data(
    source: str | Path,
    *,
    task: Task = DEFAULT_TASK,
    html: str | Path | None = None,
    group_by: str = "",
    seed: int = 0,
    overwrite: bool = False,
) -> PictureSurvey:
    """Find duplicates, unusual pictures, unreadable files and wrong labels of a source.

    Args:
        source: A folder with a folder of images per class, a table of files and labels, or a .zip
            of either; or what the task takes.
        task: What a network would be trained for: classification, detection, segmentation or
            several labels.
        html: A page to write, with thumbnails.
        group_by: What an automatic split keeps together, see `Arrangement`.
        seed: Seed of the automatic split.
        overwrite: Whether to replace an earlier page.

    Raises:
        UserError: There is no such source, or the task's are not looked at; or the page exists or
            cannot be written.
    """
    source = str(source)
    require_name(source)
    check_seed(seed)
    if is_bundled(source):
        raise UserError(f"`data` looks at files; {source!r} is a library's.")
    if html is not None:
        _check_page(Path(html), overwrite)
    began = time.monotonic()
    with task.listed(source) as labelled, picture_progress(f"Looking at {source}") as progress:
        found = survey(labelled, Arrangement(group_by), seed, progress)
    result = _result(source, found, time.monotonic() - began)
    if html is not None:
        shown = shown_pictures(result)
        write_data_page(result, _thumbnails(found.labelled.root, shown), Path(html))
    return result


def _check_page(path: Path, overwrite: bool) -> None:
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder; html is the name of a page, such as data.html.")
    check_writable(path)
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists; use --overwrite to replace it, or another name.")


def _result(source: str, found: Survey, seconds: float) -> PictureSurvey:
    readable = found.readable
    return PictureSurvey(
        source=source,
        images=len(readable),
        problem=found.problem,
        classes=found.balance(),
        sizes=[
            {"width": width, "height": height, "images": count}
            for (width, height), count in sizes(readable)
        ],
        formats=dict(Counter(one.format for one in readable).most_common()),
        modes=dict(Counter(one.mode for one in readable).most_common()),
        skipped=list(found.labelled.skipped),
        findings=[to_plain(one) for one in found.findings()],
        seconds=seconds,
    )


def _thumbnails(root: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return small copies of pictures by their names; those that cannot be read are absent."""
    with Decoders(len(names)) as decoders:
        read = decoders.read([root / name for name in names], _THUMBNAIL)
        return {
            name: picture.pixels
            for name, picture in zip(names, read, strict=True)
            if isinstance(picture, Picture)
        }
