"""What trained weights and a teacher are worth on few pictures: rows for the README.

python -m benchmarks.transfer DATA WEIGHTS [SEEDS]

DATA is a folder with a folder of pictures per class, WEIGHTS a file of V2 0.35 at 96x96. Each row
is the mean over the seeds, which also share out the pictures, and the lowest and highest of them.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

PER_CLASS = 10
EPOCHS = 40  # of 100 pictures: 160 steps
TEACHER_EPOCHS = 8
STUDENT_EPOCHS = 20
COLUMNS = ("network", "start", "pictures", "steps", "test accuracy", "lowest to highest")


def few(data: Dataset, seed: int) -> Dataset:
    """The same data with `PER_CLASS` training pictures of each class."""
    train = data.train.balanced(PER_CLASS * len(data.classes), seed)
    return Dataset(data.source, data.classes, train, data.validation, data.test)


def trained(run: Run, choose: Callable[[Dataset], Dataset] = lambda data: data) -> dict:
    """Train the float network of a run on chosen images and return its metrics."""
    from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch
    from mobilenet_tf.runs.train import train

    data, recipe = choose(run.data), run.settings.recipe
    model = train(Run(run.folder, run.settings, dataset=data))
    epochs = recipe.train.epochs
    figures = {
        "pictures": len(data.train),
        "steps": epochs * steps_per_epoch(data.train, recipe.batch),
    }
    for part in ("validation", "test"):
        split = getattr(data, part)
        scores = model.predict(evaluation_batches(split, run.network, 64), verbose=0)
        figures[part] = float((scores.argmax(1) == split.labels).mean())
    return figures


def transfer(source: str, weights: str, seed: int, out: Path) -> dict[tuple, dict]:
    """V2 0.35 on few pictures, with the same steps from random and from trained weights."""
    network = make_network("v2", 0.35, 96)
    rows = {}
    starts = (("small_data", "none", "random"), ("transfer", weights, "ImageNet, `transfer`"))
    for name, start, title in starts:
        recipe = load_recipe(name).with_fields({"train.epochs": EPOCHS})
        settings = RunSettings(
            data=source, network=network, recipe=recipe, weights=start, seed=seed
        )
        run = begin(settings, out=out / f"{name}_{seed}")
        rows["`v2` 0.35, 96x96", title] = trained(run, lambda data: few(data, seed))
    return rows


def distillation(source: str, weights: str, seed: int, out: Path) -> dict[tuple, dict]:
    """V1 0.25 on all pictures, alone and taught by a V2 0.35 that began with trained weights."""
    teacher = out / f"teacher_{seed}"
    recipe = load_recipe("transfer").with_fields({"train.epochs": TEACHER_EPOCHS})
    network = make_network("v2", 0.35, 96)
    settings = RunSettings(data=source, network=network, recipe=recipe, weights=weights, seed=seed)
    run = begin(settings, out=teacher)
    rows = {("`v2` 0.35, 96x96, the teacher", "ImageNet, `transfer`"): trained(run)}
    recipe = load_recipe("small_data").with_fields({"train.epochs": STUDENT_EPOCHS})
    for title, of in (("random", "none"), ("random, `--teacher`", str(teacher))):
        folder = out / f"student_{'alone' if of == 'none' else 'taught'}_{seed}"
        network = make_network("v1", 0.25, 64)
        settings = RunSettings(data=source, network=network, recipe=recipe, seed=seed, teacher=of)
        rows["`v1` 0.25, 64x64", title] = trained(begin(settings, out=folder))
    return rows


def table(rows: list[dict]) -> str:
    """The README's section from what `main` keeps in docs/transfer.json."""
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
        f"{markdown(COLUMNS, cells)}\n\nFloat networks on {rows[0]['source']}, test pictures only, "
        f"mean of {len(rows[0]['trials'])} seeds. {cores} cores, {processor}."
    )


def main(source: str, weights: str, seeds: int = 3) -> None:
    """Write the table into the README, and the figures behind it into docs/."""
    from mobilenet_tf.core.system import machine

    found: dict[tuple, list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            for program in (transfer, distillation):
                for name, figures in program(source, weights, seed, Path(folder)).items():
                    found.setdefault(name, []).append(figures)
                    print(seed, *name, figures, flush=True)
    facts = {"source": Path(source).name, "machine": machine()}
    rows = [
        {"network": network, "start": start, **facts, "trials": trials}
        for (network, start), trials in found.items()
    ]
    (ROOT / "docs" / "transfer.json").write_text(json.dumps(rows, indent=1) + "\n")
    replace_section(ROOT / "README.md", "transfer", table(rows))


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
