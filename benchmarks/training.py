"""Training as this project does it against what its user would write otherwise.

python -m benchmarks.training DATA [NETWORK...]

DATA is a folder with a folder of pictures per class. In one process, in turn:
  ours      the default recipe: batches, augmentation, network, optimizer
  tutorial  image_dataset_from_directory, cached, shuffled and prefetched; Keras's augmentation
            layers in front of a network of tf_keras.applications; Adam
  step      ours on one batch that lies ready
  pipeline  ours without a network
The clock is the processor time of all threads, which other programs on the machine do not add to.
"""

import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from benchmarks.latency import APPLICATIONS, ratio
from benchmarks.tables import markdown, publish, spread
from export.timing import interleaved
from mobilenet_tf.console import console
from mobilenet_tf.data.load import load_data
from mobilenet_tf.data.pipeline import training_batches
from mobilenet_tf.models.build import build_from_spec
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.models.zoo import model_spec
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.recipe import load_recipe

NETWORKS = {"v1": 0.25, "v2": 0.35, "v3_small": 0.75}
_SIZE, _STEPS, _ROUNDS = 96, 8, 7
_ENDLESS = 100_000
_ORDER = ("ours", "tutorial", "step", "pipeline")


def tutorial(folder: str, spec: ModelSpec, batch: int):
    """A compiled model and its endless batches, the documented way."""
    options = {"include_preprocessing": False} if spec.name.startswith("v3") else {}
    make, _ = APPLICATIONS[spec.name]
    network = make(
        input_shape=(spec.size, spec.size, 3),
        alpha=spec.alpha,
        weights=None,
        classes=spec.classes,
        **options,
    )
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Rescaling(1 / 127.5, offset=-1),
            network,
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    pictures = keras.utils.image_dataset_from_directory(
        folder, image_size=(spec.size, spec.size), batch_size=batch, seed=0
    )
    return model, pictures.cache().shuffle(1000).prefetch(tf.data.AUTOTUNE).repeat()


def measure(folder: str, spec: ModelSpec) -> dict:
    """One network, all four in turn."""
    recipe = load_recipe("small_data")
    data = load_data(folder, spec, 0)
    spec = spec.with_classes(len(data.classes))

    def batches():
        return training_batches(
            data.train, spec, recipe.batch, 0, _ENDLESS, 0, recipe.train.augmentation
        )

    learner = make_learner(build_from_spec(spec), recipe.train, _ENDLESS)
    model, pictures = tutorial(folder, spec, recipe.batch)
    ready = batches().take(1).cache().repeat()
    alone = iter(batches())

    def fitting(network, source):
        source = iter(source)
        return lambda: network.fit(source, steps_per_epoch=_STEPS, verbose=0)

    def pull():
        for _ in range(_STEPS):
            next(alone)

    runs = {
        "ours": fitting(learner, batches()),
        "tutorial": fitting(model, pictures),
        "step": fitting(learner, ready),
        "pipeline": pull,
    }
    samples = interleaved(runs, _ROUNDS, clock=time.process_time)
    count = _STEPS * recipe.batch
    return {
        "network": spec.name,
        "alpha": spec.alpha,
        "pictures_per_second": {
            name: float(np.median(count / value * 1e3)) for name, value in samples.items()
        },
        "faster_than_tutorial": ratio(samples["tutorial"], samples["ours"]),
        "pipeline_against_step": ratio(samples["step"], samples["pipeline"]),
    }


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""
    columns = (
        "network", "ours", "tutorial", "step alone", "pipeline alone",
        "times faster than the tutorial", "pipeline, times the step's speed",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}` {row['alpha']:g}",
                *(f"{row['pictures_per_second'][name]:.0f}" for name in _ORDER),
                spread(row["faster_than_tutorial"]),
                spread(row["pipeline_against_step"]),
            )
            for row in rows
        ],
    )


def main(folder: str, names: list[str]) -> None:
    """Write docs/training.json and the table in docs/benchmarks.md, network by network."""
    note = f"Pictures per second of processor time, {_SIZE}x{_SIZE}, {Path(folder).name}; "
    note += "medians of the ratios, round by round, and their quartiles."
    for name in names or NETWORKS:
        row = measure(folder, model_spec(name, NETWORKS[name], _SIZE))
        console.print(row)
        publish("training", row, ("network", "alpha"), table, note)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
