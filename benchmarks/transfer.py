"""What pretrained weights and a teacher are worth with few images: a table in the README.

python -m benchmarks.transfer DATA WEIGHTS [SEEDS]

DATA is a folder with one folder of images per class, WEIGHTS a weights file of V2 0.35 at 96x96.
Each row has the mean over the seeds, the lowest and the highest. A seed also decides the split.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sections import Section, markdown
from mobilenet_tf.core.system import machine
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

PER_CLASS = 10
EPOCHS = 40  # of 100 images: 160 steps
TEACHER_EPOCHS = 8
STUDENT_EPOCHS = 20
COLUMNS = ("network", "initial weights", "images", "steps", "test accuracy", "lowest to highest")
Found = dict[tuple[str, str], dict[str, Any]]  # (network, initial weights) -> metrics


def few(data: Dataset, seed: int) -> Dataset:
    """Return the same dataset with only `PER_CLASS` training images of each class."""
    train = data.train.balanced(PER_CLASS * len(data.classes), seed)
    return Dataset(data.source, data.classes, train, data.validation, data.test)


def trained(run: Run) -> dict[str, Any]:
    """Train the float network of a run.

    Returns:
        Number of training images (`pictures`) and steps, and the accuracy on the validation and
        test images.
    """
    from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch
    from mobilenet_tf.runs.train import train

    model, data, recipe = train(run), run.data, run.settings.recipe
    found: dict[str, Any] = {
        "pictures": len(data.train),
        "steps": recipe.train.epochs * steps_per_epoch(data.train, recipe.batch),
    }
    learned = run.task.objective(run.network)
    for name, split in (("validation", data.validation), ("test", data.test)):
        batches = evaluation_batches(split, run.network.input, learned, 64)
        scores = model.predict(batches, verbose=0)
        found[name] = float((scores.argmax(1) == split.labels).mean())
    return found


def transfer(source: str, weights: str, seed: int, out: Path) -> Found:
    """Train V2 0.35 on few images, for the same number of steps, with both initial weights."""
    network, rows = make_network("v2", 0.35, 96), {}
    data = few(load_data(source, network.input, seed), seed)
    starts = (("small_data", "none", "random"), ("transfer", weights, "ImageNet, `transfer`"))
    for name, start, title in starts:
        settings = RunSettings(
            data=source,
            network=network,
            recipe=load_recipe(name).with_fields({"train.epochs": EPOCHS}),
            weights=start,
            seed=seed,
        )
        run = begin(settings, out=out / f"{name}_{seed}", dataset=data)
        rows["`v2` 0.35, 96x96", title] = trained(run)
    return rows


def distillation(source: str, weights: str, seed: int, out: Path) -> Found:
    """Train V1 0.25 on all images, alone and with a pretrained, fine-tuned V2 0.35 as teacher."""
    teacher = out / f"teacher_{seed}"
    settings = RunSettings(
        data=source,
        network=make_network("v2", 0.35, 96),
        recipe=load_recipe("transfer").with_fields({"train.epochs": TEACHER_EPOCHS}),
        weights=weights,
        seed=seed,
    )
    title = "`v2` 0.35, 96x96, the teacher", "ImageNet, `transfer`"
    rows = {title: trained(begin(settings, out=teacher))}
    for name, start, of in (
        ("alone", "random", "none"),
        ("taught", "random, `--teacher`", str(teacher)),
    ):
        settings = RunSettings(
            data=source,
            network=make_network("v1", 0.25, 64),
            recipe=load_recipe("small_data").with_fields({"train.epochs": STUDENT_EPOCHS}),
            teacher=of,
            seed=seed,
        )
        run = begin(settings, out=out / f"student_{name}_{seed}")
        rows["`v1` 0.25, 64x64", start] = trained(run)
    return rows


def render(rows: list[dict[str, Any]]) -> str:
    """Return the content of docs/transfer.json as Markdown."""
    cells = []
    for row in rows:
        trials = row["trials"]
        tests = np.array([trial["test"] for trial in trials])
        cells.append(
            [
                row["network"],
                row["start"],
                trials[0]["pictures"],
                f"{trials[0]['steps']:,}",
                f"{tests.mean():.1%}",
                f"{tests.min():.1%} to {tests.max():.1%}",
            ]
        )
    cores, processor = rows[0]["machine"]["cores"], rows[0]["machine"]["cpu"]
    return (
        f"{markdown(COLUMNS, cells)}\n\nFloat networks on {rows[0]['source']}: mean accuracy on "
        f"the test images over {len(rows[0]['trials'])} seeds. {cores} cores, {processor}."
    )


SECTION = Section("transfer", render, "README.md")


def main(source: str, weights: str, seeds: int = 3) -> None:
    """Measure, and write docs/transfer.json and the table in the README."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            for program in (transfer, distillation):
                for title, metrics in program(source, weights, seed, Path(folder)).items():
                    found.setdefault(title, []).append(metrics)
                    console.print(seed, *title, metrics)
    facts = {"source": Path(source).name, "machine": machine()}
    SECTION.save(
        [
            {"network": network, "start": start, **facts, "trials": trials}
            for (network, start), trials in found.items()
        ]
    )


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
