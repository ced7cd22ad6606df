"""`suspects`: pictures of a run whose labels are probably wrong."""

import csv
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import start_tensorflow, working_on, write_mistakes
from mobilenet_tf.commands.outcomes.pictures import LabelSuspects
from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.datasets.corrections import GIVEN
from mobilenet_tf.datasets.dataset import Split, rescale
from mobilenet_tf.runs.own_files import remove_folds
from mobilenet_tf.runs.run import Run
from mobilenet_tf.tasks.suspects import doubts
from mobilenet_tf.training.recipe import Recipe, Transfer

_MOST_FOLDS = 20
_FEWEST = 4  # images of a class, of which half of the other folds then has one at least
_SHOWN = 24  # with a picture in the report
COLUMNS = ("file", "label", GIVEN, "predicted", "quality")  # of suspects.csv


@applicable
def suspects(
    run: Run | str | Path,
    *,
    folds: int = 5,
    epochs: int | None = None,
    overwrite: bool = False,
) -> LabelSuspects:
    """Find pictures whose labels are probably wrong, among those of all splits.

    Each picture is judged by a network that was not trained on it. If the run began with published
    weights, that is logistic regression on their features. Otherwise, the run's network is trained
    from random weights once per fold; if interrupted, the same call continues. Pictures of a group
    and near duplicates are in one fold.

    Writes `suspects.csv`, which can be corrected and given to `run --corrections`, and renews the
    report.

    Args:
        run: The run or its folder.
        folds: Number of folds.
        epochs: Number of epochs of each training; by default those of the run's recipe.
        overwrite: Whether to replace an earlier `suspects.csv`, and to begin again what was
            interrupted.

    Raises:
        UserError: The run is of another task, its images are too few or have no names, or a table
            exists.
    """
    check_whole("folds", folds, 2, _MOST_FOLDS)
    with working_on(run) as opened:
        _check(opened, overwrite)
        recipe = _recipe(opened, epochs)
        if overwrite:
            remove_folds(opened.folder.path)
        started = time.monotonic()
        pictures = _pictures(opened, folds)
        way, probabilities = _probabilities(opened, recipe, pictures, folds)
        found = doubts(pictures.labels, probabilities)
        likeliest = probabilities.argmax(axis=1)
        listed = found.order[likeliest[found.order] != pictures.labels[found.order]]
        rows = [
            {
                "file": pictures.names[place],
                "label": opened.classes[pictures.labels[place]],
                "predicted": opened.classes[likeliest[place]],
                "quality": round(float(found.quality[place]), 4),
            }
            for place in listed
        ]
        _write_table(opened.folder.suspects, rows)
        shown = {f"suspects/{n:02d}.png": row for n, row in enumerate(rows[:_SHOWN], start=1)}
        section = {
            "way": way,
            "folds": folds,
            "images": len(pictures),
            "accuracy": float((likeliest == pictures.labels).mean()),
            "wrong": found.wrong,
            "worst": [row | {"picture": picture} for picture, row in shown.items()],
        }
        images = pictures.images[listed[: len(shown)]]
        write_mistakes(opened.folder, dict(zip(shown, images, strict=True)))
        seconds = {"suspects": round(time.monotonic() - started, 1)}
        opened.folder.update_result(suspects=section, seconds=seconds)
        remove_folds(opened.folder.path)
        from mobilenet_tf.deployment.report.page import write_report

        write_report(opened.folder)
    return LabelSuspects(section, file=str(opened.folder.suspects), listed=len(rows))


def _check(run: Run, overwrite: bool) -> None:
    if not run.task.one_class:
        raise UserError(
            f"{run.folder.path} is for {run.task.name}; label suspects need a class per image."
        )
    table = run.folder.suspects
    if table.exists() and not overwrite:
        raise UserError(
            f"{table} exists, perhaps with corrections; use --overwrite to replace it, or move it."
        )


def _pictures(run: Run, folds: int) -> Split:
    """Return the pictures of all splits at the size of the network's input."""
    data = run.data
    if not isinstance(data.train, Split):
        raise UserError(
            f"The images of {data.source} have no names and do not fit into memory; label suspects "
            "need files."
        )
    splits = data.train, data.validation, data.test
    pictures = Split(
        np.concatenate([rescale(split.images, run.network.input) for split in splits]),
        np.concatenate([split.labels for split in splits]),
        [name for split in splits for name in split.names],
    )
    counts = np.bincount(pictures.labels, minlength=len(data.classes))
    needed = max(folds, _FEWEST)
    if counts.min() < needed:
        raise UserError(
            f"Class {data.classes[counts.argmin()]!r} has {counts.min()} images; at least {needed} "
            f"are needed for {folds} folds."
        )
    return pictures


def _together(run: Run, pictures: Split, folds: int) -> np.ndarray:
    """Return the group of each picture (N,), which folds do not separate.

    Pictures of a class of too few groups stand alone.
    """
    known, alone = run.data.together, -1 - np.arange(len(pictures))
    found = np.array([known.get(*one) for one in zip(pictures.names, alone, strict=True)])
    for label in range(len(run.data.classes)):
        rows = pictures.labels == label
        if len(np.unique(found[rows])) < max(folds, _FEWEST):
            found[rows] = alone[rows]
    return found


def _recipe(run: Run, epochs: int | None) -> Recipe | None:
    """Return the recipe of trainings from random weights, or None where there are features."""
    settings, recipe = run.settings, run.settings.recipe
    if epochs is not None:
        recipe = recipe.with_fields({"train.epochs": epochs})
    # A .keras file is what a run of this project leaves, perhaps one on the same pictures.
    if settings.weights == "none" or settings.weights.endswith(".keras"):
        return replace(recipe, transfer=Transfer())
    if epochs is not None:
        raise UserError(
            f"--epochs applies only to trainings, but the run began with {settings.weights}, of "
            "which the features are used."
        )
    return None


def _probabilities(
    run: Run, recipe: Recipe | None, pictures: Split, folds: int
) -> tuple[str, np.ndarray]:
    """Return how probabilities were predicted out of sample, and them (N, classes)."""
    start_tensorflow()
    from mobilenet_tf.training.out_of_sample import Folds, by_features, by_training

    together = _together(run, pictures, folds)
    parts = Folds(pictures=pictures, together=together, count=folds, seed=run.settings.seed)
    if recipe is None:
        return "features", by_features(parts, run.network, run.settings.weights)
    session = replace(run.session(), checkpoints=_folds_of(run), logs=_folds_of(run))
    return "training", by_training(parts, recipe, session)


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {GIVEN: row["label"]} for row in rows)
    write_text(path, text.getvalue())


def _folds_of(run: Run) -> Path:
    return run.folder.path / "suspects"
