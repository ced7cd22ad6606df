"""Detectors on small real datasets: the table in docs/detection.md.

python -m benchmarks.detection DATA WEIGHTS RUNS [NAME...]

DATA is the folder that holds `cards/` and `bccd/`, WEIGHTS the weights of V2 0.35 at 96x96, RUNS a
folder for the runs; a run that is there already is continued. NAMEs choose among the rows.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.results import publishable
from benchmarks.sections import Section, markdown
from mobilenet_tf.commands.run import run
from mobilenet_tf.core.terminal import console
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
COLUMNS = (
    "dataset, test pictures",
    "network",
    "AP50 float",
    "AP50 int8",
    "AP int8",
    "QAT and file within 1 LSB",
    "file, bytes",
    "minutes",
)


def trained(name: str, data: Path, weights: str, runs: Path) -> Result:
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
    return RunFolder.open(runs / name, "result.json").result()


def row(result: Result) -> list[str]:
    """Return one run as cells."""
    model, data, metrics = result.model, result.data, result.metrics
    ap50, ap = metrics["ap50"], metrics["ap"]
    return [
        f"{data.source}, {data.test} of {data.train + data.validation + data.test}",
        f"`{model.name}` {model.alpha:g}, {model.input.width}x{model.input.height}",
        f"{ap50.float:.3f}",
        f"{ap50.int8:.3f}",
        f"{ap.int8:.3f}",
        f"{result.parity.within_1_lsb:.2%}",
        f"{result.tflite.bytes:,}",
        f"{sum(result.seconds.values()) / 60:.1f}",
    ]


def render(published: list[dict[str, Any]]) -> str:
    """Return the content of docs/detection.json as Markdown."""
    results = [Result.from_dict(values, "docs/detection.json") for values in published]
    machine = results[0].machine
    table = markdown(COLUMNS, [row(result) for result in results])
    return f"{table}\n\nOn the test pictures. {machine.cores} cores, {machine.cpu}."


SECTION = Section("detection", render, "docs/detection.md")


def main(data: str, weights: str, runs: str, *names: str) -> None:
    """Train, and write docs/detection.json and the table."""
    results = []
    for name in names or TRIALS:
        result = trained(name, Path(data), weights, Path(runs))
        console.print(*row(result))
        results.append(publishable(result, ("task", "metrics")))
    SECTION.save(results)


if __name__ == "__main__":
    main(*sys.argv[1:])
