"""Ways to train on a folder of images, each in a process of its own that takes turns on request.

TensorFlow's number of threads is fixed when it is first used, and is part of what is compared.
That is why each way has a process. They take turns, so that the noise of the machine affects all
of them alike.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core import environment
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras as keras

ROOT = Path(__file__).parents[1]
STEPS, BATCH = 12, 32  # steps per turn, images per step
_ENDLESS = 100_000


class Process:
    """A way to train, in a process that waits for its turns.

    Args:
        way: Name of one of `WAYS`.
        folder: Folder with one folder of images per class.
        network: The network; its number of classes is replaced by that of the folder.

    Attributes:
        seconds: Seconds from the start of the process to the end of the first training step.
    """

    def __init__(self, way: str, folder: str, network: Network):
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.training_ways"),
                *(way, folder, network.name, str(network.alpha), str(network.input.side)),
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
        """Run `STEPS` steps of training, or only of its pipeline.

        Args:
            what: `fit` or `pipeline`.

        Returns:
            Seconds of wall-clock time and of CPU time.
        """
        print(what, file=self.process.stdin)
        return self._answer()

    def _answer(self) -> Any:
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def ours(folder: str, network: Network) -> tuple["keras.Model", "tf.data.Dataset"]:
    """Return a compiled model and its batches: the default recipe, set up like `train`."""
    environment.prepare()
    from mobilenet_tf.datasets.batch_plan import BatchPlan
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import training_batches
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
    from mobilenet_tf.training.learner import make_learner
    from mobilenet_tf.training.recipe import load_recipe

    recipe = load_recipe("small_data")
    data = load_data(folder, network.input, 0)
    network = network.with_classes(len(data.classes))
    plan = BatchPlan(batch=recipe.batch, seed=0, steps=_ENDLESS)
    objective = CrossEntropy(network.classes)
    batches = training_batches(
        data.train, network.input, objective, plan, augmentation=recipe.train.augmentation
    )
    return make_learner(build_network(network), objective, recipe.train, _ENDLESS), batches


def ready(folder: str, network: Network) -> tuple["keras.Model", "tf.data.Dataset"]:
    """Return `ours` with batches that are in memory already."""
    learner, batches = ours(folder, network)
    return learner, batches.take(STEPS).cache().repeat()


def tutorial(folder: str, network: Network) -> tuple["keras.Model", "tf.data.Dataset"]:
    """Return a compiled model and its batches as the Keras tutorials set them up.

    `image_dataset_from_directory`, cached, shuffled and prefetched; augmentation layers before a
    network of `tf_keras.applications`; Adam.
    """
    import tensorflow as tf
    import tf_keras as keras

    from benchmarks.applications import application

    layers = keras.layers
    batches = keras.utils.image_dataset_from_directory(
        folder, image_size=network.input.shape[:2], batch_size=BATCH, seed=0
    )
    model = keras.Sequential(
        [
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Rescaling(1 / 127.5, offset=-1),
            application(network, len(batches.class_names)),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, batches.cache().shuffle(1000).prefetch(tf.data.AUTOTUNE).repeat()


WAYS: dict[str, Callable[[str, Network], tuple["keras.Model", "tf.data.Dataset"]]] = {
    "ours": ours,
    "ready": ready,
    "tutorial": tutorial,
}


def serve(way: str, folder: str, network: Network) -> None:
    """Train endlessly: one turn per line of standard input, answered with the seconds it took."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Keras prints must not mix with the answers
    model, batches = WAYS[way](folder, network)

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers)

    def clocks() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def since(started: tuple[float, float]) -> list[float]:
        return [now - then for now, then in zip(clocks(), started, strict=True)]

    import tf_keras as keras

    class Turns(keras.callbacks.Callback):
        """Waits before each epoch, which is a turn, and answers after it."""

        pipeline = None

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            while epoch and sys.stdin.readline().strip() == "pipeline":
                self.pipeline = self.pipeline or iter(batches)
                started = clocks()
                for _ in range(STEPS):
                    next(self.pipeline)
                answer(since(started))
            self.epoch, self.started = epoch, clocks()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if not self.epoch and not batch:
                answer("the first step is done")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            answer(since(self.started))

    model.fit(batches, epochs=_ENDLESS, steps_per_epoch=STEPS, callbacks=[Turns()], verbose=0)


if __name__ == "__main__":
    name, source, zoo_name, alpha, size = sys.argv[1:]
    serve(name, source, make_network(zoo_name, float(alpha), int(size)))
