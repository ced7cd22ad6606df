"""Detectors on small real datasets: the table in docs/detection.md.

python -m benchmarks.detection DATA WEIGHTS RUNS [NAME...]

DATA is the folder that holds `cards/` and `bccd/`, WEIGHTS the weights of V2 0.35 at 96x96, RUNS a
folder for the runs; a run that is there already is continued. NAMEs choose among the rows.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.task_table import TaskTable
from mobilenet_tf.commands.run import run
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.detection.task import Detection
from mobilenet_tf.training.recipe import load_recipe

# Dataset -> input (height, width), structure and anchors, and fields of the recipe.
TRIALS: dict[str, tuple[tuple[int, int], Detection, dict[str, Any]]] = {
    "cards": ((192, 192), Detection(extras=1), {"train.epochs": 300}),
    # Blood platelets are 19 pixels wide in pictures of 320x240.
    "bccd": (
        (240, 320),
        Detection(first_stride=8, extras=0),
        {"train.epochs": 150, "train.augmentation.flip": 0.5},
    ),
}
COLUMNS = ("AP50 float", "AP50 int8", "AP int8")


def trained(name: str, data: Path, weights: str, runs: Path) -> RunFolder:
    """Run one row from the pictures to the verified file."""
    size, task, fields = TRIALS[name]
    network = make_network("v2", 0.35, size)
    settings = RunSettings(
        data=str(data / name),
        network=replace(network, input=replace(network.input, fit="stretch")),
        task=task,
        recipe=load_recipe("detection").with_fields(fields),
        weights=weights,
    )
    run(settings, out=runs / name, resume=(runs / name).is_dir())
    return RunFolder.open(runs / name, "result.json")


def cells(result: Result, settings: Mapping[str, Any]) -> list[str]:
    """Return what a run measured."""
    ap50, ap = result.metrics["ap50"], result.metrics["ap"]
    return [f"{ap50.float:.3f}", f"{ap50.int8:.3f}", f"{ap.int8:.3f}"]


TABLE = TaskTable("detection", COLUMNS, cells)


def main(data: str, weights: str, runs: str, *names: str) -> None:
    """Train, and write docs/detection.json and the table."""
    TABLE.save((name, trained(name, Path(data), weights, Path(runs))) for name in names or TRIALS)


if __name__ == "__main__":
    main(*sys.argv[1:])
