"""Segmenters of digit scenes and of cell membranes: the table in docs/segmentation.md.

python -m benchmarks.segmentation DATA WEIGHTS RUNS [NAME...]

DATA is the folder that holds `membrane/`, WEIGHTS the weights of V2 0.35 at 96x96, RUNS a folder
for the runs; a run that is there already is continued. NAMEs choose among the rows. The settings
were chosen on the validation split.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.task_table import TaskTable
from mobilenet_tf.commands.run import run
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.segmentation.task import Segmentation
from mobilenet_tf.training.recipe import load_recipe


class Trial(NamedTuple):
    """A row of the table: the input, the head, and what differs from the default recipe."""

    source: str
    side: int
    channels: int
    task: Segmentation
    fields: dict[str, Any]


_PRETRAINED = {"train.learning_rate": 1e-3}
# Twenty pictures: small batches, and outlines have no upright.
_FEW: dict[str, Any] = {
    "batch": 2,
    "calibration": 20,
    "train.epochs": 80,
    **_PRETRAINED,
    "train.augmentation.flip": 0.5,
    "train.augmentation.rotation": 20.0,
    "qat.epochs": 8,
}
TRIALS = {
    "digits": Trial("digits", 96, 3, Segmentation(low_stride=2, halved=False), _PRETRAINED),
    "membrane": Trial("membrane", 384, 1, Segmentation(halved=False), _FEW),
    "membrane_stride_8": Trial("membrane", 384, 1, Segmentation(low_stride=8, halved=False), _FEW),
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


def trained(name: str, data: Path, weights: str, runs: Path) -> RunFolder:
    """Run one row from the pictures to the verified file."""
    trial, source = TRIALS[name], TRIALS[name].source
    if source != "digits":
        source = str(with_test_split(data / source, runs / "data" / source))
    network = make_network("v2", 0.35, trial.side, channels=trial.channels)
    settings = RunSettings(
        data=source,
        network=network,
        task=trial.task,
        recipe=load_recipe("segmentation").with_fields(trial.fields),
        weights=weights,
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
    TABLE.save(trained(name, Path(data), weights, Path(runs)) for name in names or TRIALS)


if __name__ == "__main__":
    main(*sys.argv[1:])
