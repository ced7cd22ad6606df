"""How many wrong labels `suspects` finds among the first, for docs/data.md.

python -m benchmarks.suspects DATA WEIGHTS [CASE...]

DATA has the folders sign_digits and clothing, WEIGHTS has mobilenet_v1_0.25_128.h5. 3 % of the
labels are replaced by other classes, which the seed decides. The cases are those of `CASES`; the
rows of others stay. The section of the first report is drawn into docs/suspects.png, which needs
Chromium.
"""

import csv
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import mobilenet_tf as mn
from benchmarks.browser import draw_section
from benchmarks.sections import DOCS, Section, markdown
from mobilenet_tf.runs.run import Run, begin

DRAWN = "signs_training"  # the case whose report is drawn
_PAGE = (1000, 860)  # width and height in CSS pixels
WRONG, FIRST = 0.03, 0.05  # share of wrong labels, and of the list that is looked at
COLUMNS = (
    *("dataset", "predicted by", "seeds", "pictures", "wrong labels in the first 5 %"),
    *("lowest to highest", "agrees with labels", "estimated wrong labels"),
)


@dataclass(frozen=True)
class Case:
    """A dataset and a way of judging its labels.

    Attributes:
        data: Name of the dataset.
        size: Side of the input.
        weights: File of weights whose features are used; empty to train from random weights.
        epochs: Number of epochs of each training.
        folds: Number of folds.
        seeds: Number of seeds.
    """

    data: str
    size: int
    weights: str = ""
    epochs: int = 0
    folds: int = 5
    seeds: int = 3

    @property
    def title(self) -> str:
        """What predicts the labels, as the table has it."""
        network = f"`v1` 0.25, {self.size}x{self.size}"
        if self.weights:
            return f"features of {network} with ImageNet weights"
        return f"{network}, trained for {self.epochs} epochs on {self.folds} folds"


_V1 = "mobilenet_v1_0.25_128.h5"
CASES = {
    "signs_features": Case("sign_digits", 128, _V1),
    "signs_training": Case("sign_digits", 64, epochs=40, folds=3, seeds=1),
    "clothing_features": Case("clothing", 128, _V1),
}


def planted(names: list[str], labels: np.ndarray, classes: tuple[str, ...], seed: int) -> dict:
    """Return file -> a class that is not its own, for some of the files."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(names), round(WRONG * len(names)), replace=False)
    moved = random.integers(1, len(classes), len(rows))
    return {
        names[row]: classes[(labels[row] + by) % len(classes)]
        for row, by in zip(rows, moved, strict=True)
    }


def measure(case: Case, data: Path, weights: Path, folder: Path) -> dict[str, Any]:
    """Plant wrong labels, look for them, and return the row of the case."""
    found = [_seed(case, data, weights, seed, folder / str(seed)) for seed in range(case.seeds)]
    return asdict(case) | {"title": case.title, "found": found}


def _seed(case: Case, data: Path, weights: Path, seed: int, out: Path) -> dict[str, Any]:
    settings = mn.RunSettings(
        data=str(data / case.data),
        network=mn.make_network("v1", 0.25, case.size),
        recipe=mn.load_recipe("small_data"),
        weights=str(weights / case.weights) if case.weights else "none",
        seed=seed,
    )
    clean = settings.task.read(settings.data, settings.network.input, seed)
    splits = clean.train, clean.validation, clean.test
    names = [name for split in splits for name in split.names]
    labels = np.concatenate([split.labels for split in splits])
    wrong = planted(names, labels, clean.classes, seed)
    run = begin(replace(settings, corrections=wrong), out=out)
    result = mn.suspects(run, folds=case.folds, epochs=case.epochs or None)
    return {
        "images": result["images"],
        "planted": len(wrong),
        "first": _among_first(run, wrong, result["images"]),
        "accuracy": result["accuracy"],
        "wrong": result["wrong"],
    }


def _among_first(run: Run, wrong: dict[str, str], images: int) -> float:
    with run.folder.suspects.open(newline="") as file:
        listed = [row["file"] for row in csv.DictReader(file)][: round(FIRST * images)]
    return len(wrong.keys() & set(listed)) / len(wrong)


def render(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return markdown(COLUMNS, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    found = row["found"]
    first = [one["first"] for one in found]
    return (
        row["data"],
        row["title"],
        len(found),
        f"{found[0]['images']:,}",
        f"{np.mean(first):.1%} of {found[0]['planted']}",
        f"{min(first):.1%} to {max(first):.1%}" if len(first) > 1 else "",
        f"{np.mean([one['accuracy'] for one in found]):.1%}",
        ", ".join(str(one["wrong"]) for one in found),
    )


SECTION = Section("suspects", render, "docs/data.md")


def main(data: str, weights: str, *names: str) -> None:
    """Measure, and write docs/suspects.json and the table."""
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            row = measure(CASES[name], Path(data), Path(weights), Path(folder))
            if name == DRAWN:
                report = Path(folder) / "0" / "report.html"
                draw_section(report, "Label suspects", DOCS / "suspects.png", _PAGE)
        file = SECTION.file
        rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        known = {(one["data"], one["title"]): one for one in (*rows, row)}
        SECTION.save([known[key] for key in sorted(known, reverse=True)])


if __name__ == "__main__":
    main(*sys.argv[1:])
