"""How good a network is after as many epochs of this project's training and of the tutorials'.

python -m benchmarks.equal_epochs DATA [SEEDS]

DATA is a folder with a folder of pictures per class. Both ways (see training_ways.py) train on the
same pictures and are judged on the same others.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.tables import markdown, publish
from benchmarks.training import NETWORKS
from benchmarks.training_ways import tutorial
from benchmarks.transfer import trained
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

_SIZE, _EPOCHS = 96, 15


def as_folder(place: Path, split: Split, classes: tuple[str, ...]) -> str:
    """Write pictures as PNG files, a folder per class."""
    for index, (picture, label) in enumerate(zip(split.images, split.labels, strict=True)):
        folder = place / classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{index}.png")
    return str(place)


def theirs(run: Run, place: Path) -> float:
    """Test accuracy of the tutorials' way."""
    import tf_keras as keras

    from mobilenet_tf.datasets.pipeline import steps_per_epoch

    keras.utils.set_random_seed(run.settings.seed)
    model, batches = tutorial(as_folder(place / "train", run.data.train, run.classes), run.network)
    steps = steps_per_epoch(run.data.train, run.settings.recipe.batch)
    model.fit(batches, epochs=_EPOCHS, steps_per_epoch=steps, verbose=0)
    test = keras.utils.image_dataset_from_directory(
        as_folder(place / "test", run.data.test, run.classes),
        image_size=(run.network.input.side, run.network.input.side),
        shuffle=False,
    )
    return model.evaluate(test, verbose=0)[1]


def measure(source: str, spec: Network, seeds: int) -> dict:
    """One network: the test accuracies of both ways, seed by seed."""
    import tf_keras as keras

    recipe = load_recipe("small_data").with_fields({"train.epochs": _EPOCHS})
    found = {"ours": [], "tutorial": []}
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            settings = RunSettings(data=source, network=spec, recipe=recipe, seed=seed)
            run = begin(settings, out=Path(folder) / "run")
            found["ours"].append(trained(run)["test"])
            found["tutorial"].append(theirs(run, Path(folder)))
        keras.backend.clear_session()
    return {"network": spec.name, "alpha": spec.alpha, "epochs": _EPOCHS, "accuracy": found}


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""

    def cell(values: list[float]) -> str:
        return f"{np.mean(values):.1%} ({min(values):.1%} to {max(values):.1%})"

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


def main(source: str, seeds: int = 3) -> None:
    """Write docs/equal_epochs.json and the table in docs/benchmarks.md, network by network."""
    note = f"Test accuracy after {_EPOCHS} epochs, {_SIZE}x{_SIZE}, {Path(source).name}; mean of "
    note += "the seeds, lowest and highest."
    for name, alpha in NETWORKS.items():
        row = measure(source, make_network(name, alpha, _SIZE), seeds)
        console.print(row)
        publish("equal_epochs", row, ("network", "alpha"), table, note)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
