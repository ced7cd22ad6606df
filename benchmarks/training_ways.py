"""Ways to train on a folder of pictures, each in a process of its own that does as it is told.

The number of TensorFlow's threads is fixed when it is first used, and is part of what is compared:
hence processes. They take turns, so that the machine's noise meets all of them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mobilenet_tf.core import environment
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

ROOT = Path(__file__).parents[1]
STEPS, BATCH = 12, 32  # steps of a turn
_ENDLESS = 100_000


class Process:
    """A way in its process, waiting for its turn.

    Attributes:
        seconds: from the start of the process to the end of the first training step.
    """

    def __init__(self, way: str, folder: str, spec: Network):
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.training_ways"),
                *(way, folder, spec.name, str(spec.alpha), str(spec.input.side)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._answer()
        self.seconds = time.perf_counter() - started
        self._answer()  # the rest of the first turn

    def turn(self, what: str = "fit") -> tuple[float, float]:
        """Wall clock and processor seconds of `STEPS` steps of training, or of its pipeline."""
        print(what, file=self.process.stdin)
        return self._answer()

    def _answer(self):
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def ours(folder: str, spec: Network):
    """The default recipe with the command line's settings: a compiled model and its batches."""
    environment.prepare()
    from mobilenet_tf.datasets.batch_plan import BatchPlan
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import training_batches
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.training.learner import make_learner
    from mobilenet_tf.training.recipe import load_recipe

    recipe = load_recipe("small_data")
    data = load_data(folder, spec.input, 0)
    spec = spec.with_classes(len(data.classes))
    plan = BatchPlan(batch=recipe.batch, seed=0, steps=_ENDLESS)
    batches = training_batches(data.train, spec, plan, augmentation=recipe.train.augmentation)
    return make_learner(build_network(spec), recipe.train, _ENDLESS), batches


def ready(folder: str, spec: Network):
    """`ours` on batches that lie ready."""
    learner, batches = ours(folder, spec)
    return learner, batches.take(STEPS).cache().repeat()


def tutorial(folder: str, spec: Network):
    """As Keras's tutorials do it: a compiled model and its batches.

    `image_dataset_from_directory`, cached, shuffled and prefetched; augmentation layers in front
    of a network of `tf_keras.applications`; Adam.
    """
    import tensorflow as tf
    import tf_keras as keras

    from benchmarks.applications import application

    layers = keras.layers
    batches = keras.utils.image_dataset_from_directory(
        folder, image_size=(spec.input.side, spec.input.side), batch_size=BATCH, seed=0
    )
    model = keras.Sequential(
        [
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Rescaling(1 / 127.5, offset=-1),
            application(spec, classes=len(batches.class_names)),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, batches.cache().shuffle(1000).prefetch(tf.data.AUTOTUNE).repeat()


def serve(way: Callable, folder: str, spec: Network) -> None:
    """Train without end, a turn for each line of standard input, answered with its seconds."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Keras prints is no answer
    model, batches = way(folder, spec)

    def answer(value) -> None:
        print(json.dumps(value), file=answers)

    def clocks() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def since(started: tuple[float, float]) -> list[float]:
        return [now - then for now, then in zip(clocks(), started, strict=True)]

    import tf_keras as keras

    class Turns(keras.callbacks.Callback):
        alone = None

        def on_epoch_begin(self, epoch, logs=None):
            while epoch and sys.stdin.readline().strip() == "pipeline":
                self.alone = self.alone or iter(batches)
                started = clocks()
                for _ in range(STEPS):
                    next(self.alone)
                answer(since(started))
            self.epoch, self.started = epoch, clocks()

        def on_train_batch_end(self, batch, logs=None):
            if not self.epoch and not batch:
                answer("the first step is done")

        def on_epoch_end(self, epoch, logs=None):
            answer(since(self.started))

    model.fit(batches, epochs=_ENDLESS, steps_per_epoch=STEPS, callbacks=[Turns()], verbose=0)


if __name__ == "__main__":
    name, source, network, alpha, size = sys.argv[1:]
    environment.quieten()
    serve(globals()[name], source, make_network(network, float(alpha), int(size)))
