"""Same seed, same machine: same weights."""

import hashlib

import tensorflow as tf
import tf_keras as keras


def set_seed(seed: int, deterministic: bool) -> None:
    """Seed everything that is drawn while a network is built.

    Args:
        seed: >= 0.
        deterministic: also forbid operations whose last bits depend on the order in which threads
            finish. For the rest of the process.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


class SeedEpochs(keras.callbacks.Callback):
    """Make dropout's random numbers a function of (seed, epoch), as batches are of (seed, step).

    Without this they go on from where the process stands, and a run that was killed and resumed
    would draw others.

    Attributes:
        seed: of the run.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        for index, layer in enumerate(self.model.layers):
            if isinstance(layer, keras.__internal__.layers.BaseRandomLayer):
                name = f"{self.seed}/{epoch}/{index}".encode()
                number = int.from_bytes(hashlib.sha256(name).digest()[:7], "big")
                layer._random_generator._generator.reset_from_seed(number)
