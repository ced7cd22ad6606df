"""Two ways to train on a folder of pictures, each in a process of its own that does as it is told.

The number of TensorFlow's threads is fixed when it is imported, and is part of what is compared:
hence processes. They take turns, so that the machine's noise meets both.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from mobilenet_tf import environment
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.models.zoo import model_spec

ROOT = Path(__file__).parents[1]
ENDLESS = 100_000


class Process:
    """A way in its process.

    Attributes:
        seconds: from the start of the process to the end of the first training step.
    """

    def __init__(self, way: type, folder: str, spec: ModelSpec):
        numbers = spec.name, str(spec.alpha), str(spec.size)
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training_ways", way.__name__, folder, *numbers],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.ask("steps", 1)
        self.seconds = time.perf_counter() - started

    def ask(self, what: str, *values):
        """Call a method of the way over there."""
        print(json.dumps([what, values]), file=self.process.stdin)
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.communicate()


def serve(way: type, folder: str, spec: ModelSpec) -> None:
    """Answer each line of standard input with one on standard output."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Keras prints is no answer
    made = way(folder, spec)
    for line in sys.stdin:
        what, values = json.loads(line)
        print(json.dumps(getattr(made, what)(*values)), file=answers)


def _timed(run) -> tuple[float, float]:
    """Seconds: of the wall clock, and of the processor in all threads."""
    started = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - started[0], time.process_time() - started[1]


class Ours:
    """The default recipe on the command line's settings."""

    def __init__(self, folder: str, spec: ModelSpec):
        environment.prepare()
        from mobilenet_tf.data.load import load_data
        from mobilenet_tf.data.pipeline import training_batches
        from mobilenet_tf.models.build import build_from_spec
        from mobilenet_tf.training.learner import make_learner
        from mobilenet_tf.training.recipe import load_recipe

        recipe = load_recipe("small_data")
        data = load_data(folder, spec, 0)
        spec = spec.with_classes(len(data.classes))
        batches = training_batches(
            data.train, spec, recipe.batch, 0, ENDLESS, 0, recipe.train.augmentation
        )
        self.batches, self.alone = iter(batches), iter(batches)
        self.ready = iter(batches.take(16).cache().repeat())
        self.learner = make_learner(build_from_spec(spec), recipe.train, ENDLESS)

    def steps(self, count: int) -> tuple[float, float]:
        """Train, end to end; seconds as of `_timed`."""
        return _timed(lambda: self.learner.fit(self.batches, steps_per_epoch=count, verbose=0))

    def ready_steps(self, count: int) -> tuple[float, float]:
        """Train on batches that lie ready."""
        return _timed(lambda: self.learner.fit(self.ready, steps_per_epoch=count, verbose=0))

    def pipeline(self, count: int) -> tuple[float, float]:
        """Make batches that nobody trains on."""
        return _timed(lambda: [next(self.alone) for _ in range(count)])


class Tutorial:
    """As Keras's tutorials do it.

    `image_dataset_from_directory`, cached, shuffled and prefetched; augmentation layers in front
    of a network of `tf_keras.applications`; Adam.
    """

    def __init__(self, folder: str, spec: ModelSpec):
        import tensorflow as tf
        import tf_keras as keras

        from benchmarks.latency import APPLICATIONS

        self.size = (spec.size, spec.size)
        batches = self.read(folder, batch_size=32, seed=0)
        self.batches = iter(batches.cache().shuffle(1000).prefetch(tf.data.AUTOTUNE).repeat())
        self.epoch = len(batches)
        make, options = APPLICATIONS[spec.name]
        if spec.name.startswith("v3"):
            options = options | {"include_preprocessing": False}
        network = make(
            input_shape=(spec.size, spec.size, 3),
            alpha=spec.alpha,
            weights=None,
            classes=len(batches.class_names),
            **options,
        )
        layers = keras.layers
        self.model = keras.Sequential(
            [
                layers.RandomRotation(0.1),
                layers.RandomZoom(0.1),
                layers.Rescaling(1 / 127.5, offset=-1),
                network,
            ]
        )
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def read(self, folder: str, **options):
        """Batches of a folder's pictures."""
        import tf_keras as keras

        return keras.utils.image_dataset_from_directory(folder, image_size=self.size, **options)

    def steps(self, count: int) -> tuple[float, float]:
        """Train, end to end; seconds as of `_timed`."""
        return _timed(lambda: self.model.fit(self.batches, steps_per_epoch=count, verbose=0))

    def accuracy(self, folder: str) -> float:
        """Share of a folder's pictures that are named right."""
        return self.model.evaluate(self.read(folder, shuffle=False), verbose=0)[1]


def folder_of(path: Path, pictures, labels, classes) -> str:
    """Write uint8 pictures as a folder of PNG files per class."""
    from PIL import Image

    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        place = path / classes[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{index}.png")
    return str(path)


if __name__ == "__main__":
    name, source, network, alpha, size = sys.argv[1:]
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "ABSL_MIN_LOG_LEVEL": "3"}
    serve(globals()[name], source, model_spec(network, float(alpha), int(size)))
