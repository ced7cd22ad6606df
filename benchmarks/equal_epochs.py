"""Accuracy after the same number of epochs of this project's training and of the tutorials'.

python -m benchmarks.equal_epochs DATA [SEEDS]

DATA is a folder with one folder of images per class. Both setups (see training_ways.py) train on
the same images and are evaluated on the same test images.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras
from PIL import Image

from benchmarks.machines import Rows, add_row, machine_section, values
from benchmarks.sections import markdown
from benchmarks.training import NETWORKS
from benchmarks.training_ways import tutorial
from benchmarks.transfer import trained
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.pipeline import steps_per_epoch
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

_SIZE, _EPOCHS = 96, 15


def write_images(folder: Path, split: Split, classes: tuple[str, ...]) -> str:
    """Write the images of a split as PNG files, in one folder per class; return the path."""
    for index, (pixels, label) in enumerate(zip(split.images, split.labels, strict=True)):
        file = folder / classes[label] / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    return str(folder)


def tutorial_accuracy(run: Run, folder: Path, epochs: int) -> float:
    """Train as the Keras tutorials do, on the dataset of a run; return the test accuracy.

    Args:
        run: The run; its network, dataset and seed are used.
        folder: Folder for the images as files.
        epochs: Number of epochs.
    """
    data = run.data
    keras.utils.set_random_seed(run.settings.seed)
    train = write_images(folder / "train", data.train, run.classes)
    model, batches = tutorial(train, run.network)
    steps = steps_per_epoch(data.train, run.settings.recipe.batch)
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, verbose=0)
    test = keras.utils.image_dataset_from_directory(
        write_images(folder / "test", data.test, run.classes),
        image_size=run.network.input.shape[:2],
        shuffle=False,
    )
    return model.evaluate(test, verbose=0)[1]


def measure(source: str, network: Network, seeds: int, epochs: int = _EPOCHS) -> dict[str, Any]:
    """Return the test accuracies of both setups for one network, seed by seed."""
    recipe = load_recipe("small_data").with_fields({"train.epochs": epochs})
    found: dict[str, list[float]] = {"ours": [], "tutorial": []}
    for seed in range(seeds):
        settings = RunSettings(data=source, network=network, recipe=recipe, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            run = begin(settings, out=Path(folder) / "run")
            found["ours"].append(trained(run)["test"])
            found["tutorial"].append(tutorial_accuracy(run, Path(folder), epochs))
        keras.backend.clear_session()
    return {
        "network": network.name,
        "alpha": network.alpha,
        "data": Path(source).name,
        "epochs": epochs,
        "accuracy": found,
    }


def table(rows: Rows) -> str:
    """Return the rows of one machine as Markdown."""

    def cell(accuracies: list[float]) -> str:
        return f"{np.mean(accuracies):.1%} ({min(accuracies):.1%} to {max(accuracies):.1%})"

    return markdown(
        ("network", "seeds", "ours", "tutorial"),
        [
            (
                f"`{row['network']}` {row['alpha']:g}",
                len(row["accuracy"]["ours"]),
                *(cell(row["accuracy"][name]) for name in ("ours", "tutorial")),
            )
            for row in rows
        ],
    )


def note(entries: Rows) -> str:
    """Return the text below the tables."""
    return (
        f"Test accuracy after {values(entries, 'epochs')} epochs, {_SIZE}x{_SIZE}, "
        f"{values(entries, 'data')}: mean over the seeds, with the range in brackets."
    )


SECTION = machine_section("equal_epochs", table, note)


def main(source: str, seeds: int = 3) -> None:
    """Measure networks, and write docs/equal_epochs.json and its section after each."""
    for name, alpha in NETWORKS.items():
        row = measure(source, make_network(name, alpha, _SIZE), seeds)
        console.print(row)
        add_row(SECTION, row, ("network", "alpha"))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
