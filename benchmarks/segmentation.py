"""Segmenters of digit scenes and of cell membranes: the table in docs/segmentation.md.

python -m benchmarks.segmentation DATA WEIGHTS RUNS [NAME...]

DATA is the folder that holds `membrane/`, WEIGHTS that of published weights, RUNS a folder for the
runs; a run that is there already is continued. NAMEs choose among the rows. The settings were
chosen on the validation split.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.task_table import TaskTable
from mobilenet_tf.commands.run import run
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.segmentation.task import Segmentation
from mobilenet_tf.training.recipe import load_recipe


class Trial(NamedTuple):
    """A row of the table: what it starts from, and what differs from the default recipe."""

    source: str
    network: Network
    task: Segmentation
    fields: dict[str, Any]
    weights: str | None = None


_MOVES = ("zoom", "aspect", "rotation", "shift")
# Twenty pictures of 512x512: a step for each, because a picture has many pixels. One pixel in five
# is of a membrane, and outlines have no upright. V2 has too few channels at stride 4.
_MEMBRANES: dict[str, Any] = {
    "batch": 1,
    "bn_momentum": 0.98,
    "calibration": 20,
    "train.epochs": 150,
    "train.class_weights": True,
    "train.augmentation.flip": 0.5,
    "train.augmentation.rotation": 180.0,
    "qat.epochs": 8,
    "qat.class_weights": True,
}
# Scenes are composed at every scale and place as it is.
_DIGITS: dict[str, Any] = {
    "batch": 4,
    "train.epochs": 12,
    "train.learning_rate": 1e-3,
    "qat.epochs": 3,
    "qat.learning_rate": 3e-4,
    **{f"{stage}.augmentation.{move}": 0.0 for stage in ("train", "qat") for move in _MOVES},
}
TRIALS = {
    "digits": Trial(
        "digits",
        # Scenes enlarged three times: at stride 8, a backbone tells a digit's ink from texture, and
        # the map is still fine enough for strokes (2.7 pixels of the scene).
        make_network("v2", 0.35, 288),
        Segmentation(low_stride=8, halved=False, dice=1.0),
        _DIGITS,
        "mobilenet_v2_0.35_96_no_top.h5",
    ),
    **{
        name: Trial(
            "membrane",
            make_network("v1", 1.0, 512, channels=1),
            Segmentation(low_stride=stride, halved=False, dice=1.0),
            _MEMBRANES,
        )
        for name, stride in (("membrane", 4), ("membrane_stride_8", 8))
    },
}
EVERY = 5  # of the membranes, one picture in so many is left out for the test: 6 of 30
COLUMNS = ("stride of the output", "mIoU float", "mIoU int8")


def with_test_split(data: Path, folder: Path) -> Path:
    """Return a folder with links to pictures and masks, of which every fifth is for the test."""
    for kind in ("images", "masks"):
        for index, path in enumerate(sorted((data / kind).iterdir())):
            link = folder / ("train" if index % EVERY else "test") / kind / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(path.resolve())
    return folder


def trained(name: str, data: Path, weights: Path, runs: Path) -> RunFolder:
    """Run one row from the pictures to the verified file."""
    trial, source = TRIALS[name], TRIALS[name].source
    if source != "digits":
        source = str(with_test_split(data / source, runs / "data" / source))
    settings = RunSettings(
        data=source,
        network=trial.network,
        task=trial.task,
        recipe=load_recipe("segmentation").with_fields(trial.fields),
        weights=str(weights / trial.weights) if trial.weights else "none",
    )
    run(settings, out=runs / name, resume=(runs / name).is_dir())
    return RunFolder.open(runs / name, "result.json")


def cells(result: Result, settings: Mapping[str, Any]) -> list[str]:
    """Return what a run measured."""
    miou = result.metrics["miou"]
    return [f"{settings['low_stride']}", f"{miou.float:.3f}", f"{miou.int8:.3f}"]


TABLE = TaskTable("segmentation", COLUMNS, cells)


def main(data: str, weights: str, runs: str, *names: str) -> None:
    """Train, and write docs/segmentation.json and the table."""
    folders = Path(data), Path(weights), Path(runs)
    TABLE.save((name, trained(name, *folders)) for name in names or TRIALS)


if __name__ == "__main__":
    main(*sys.argv[1:])
