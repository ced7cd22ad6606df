"""Random seeds: the same seed on the same machine gives the same weights."""

import hashlib

import tensorflow as tf
import tf_keras as keras


def set_seed(seed: int, deterministic: bool) -> None:
    """Seed all random numbers that are drawn while a network is built.

    Args:
        seed: At least 0.
        deterministic: Whether to disable operations whose last bits depend on the order in which
            threads finish. This lasts until the process ends.
    """
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


class SeedEpochs(keras.callbacks.Callback):
    """Make the random numbers of dropout depend on (seed, epoch) only.

    Otherwise they would continue from the state of the process, and a run that was killed and
    resumed would draw other numbers than one that was not.

    Attributes:
        seed: Seed of the run.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Seed each layer that draws random numbers."""
        for index, layer in enumerate(self.model.layers):
            if isinstance(layer, keras.__internal__.layers.BaseRandomLayer):
                name = f"{self.seed}/{epoch}/{index}".encode()
                number = int.from_bytes(hashlib.sha256(name).digest()[:7], "big")
                layer._random_generator._generator.reset_from_seed(number)
