"""Train a supernet, and judge candidates with its weights."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.pipeline import calibration_images, evaluation_batches
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.architecture_space import ArchitectureSpace, Values
from mobilenet_tf.selection.supernet import SharedNetwork
from mobilenet_tf.training.fit import Session, fit
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.transfer import Phase

_BATCH = 64
_BATCHES = 5  # of training images, which give a candidate its statistics (US-Nets, appendix)


@dataclass(frozen=True)
class _Images:
    """Images that candidates are judged with: float32 images, and int labels of validation."""

    train: np.ndarray
    validation: tuple[tuple[np.ndarray, np.ndarray], ...]


class Supernet:
    """A supernet and its images.

    Args:
        space: The networks that it contains.
        network: The largest of them, with the input that it is trained on.
        recipe: How it is trained, including the number of epochs.
        session: Images, seed, and folders of checkpoints and logs.
    """

    def __init__(
        self, space: ArchitectureSpace, network: Network, recipe: Recipe, session: Session
    ):
        self.network, self.recipe, self.session = network, recipe, session
        keras.utils.set_random_seed(session.seed)
        self.shared = SharedNetwork(space, network.classes, recipe.bn_momentum, session.seed)
        images = keras.Input(network.input.shape)
        self.model = keras.Model(images, keras.layers.Softmax()(self.shared(images)))
        self._scores = tf.function(self.shared.logits, reduce_retracing=True)
        self._images: _Images | None = None

    def train(self) -> None:
        """Train the supernet, or what is left of it after an interruption.

        Raises:
            UserError: As `fit`.
        """
        # One graph for all candidates has no fixed shapes, which XLA needs.
        stage = replace(self.recipe.train, precision="float32", xla=False, patience=0)
        fit(self.model, Phase("supernet", "Training the supernet", stage), self.session)

    def accuracy(self, values: Values) -> float:
        """Return a candidate's accuracy on the validation images, from 0 to 1.

        Its batch normalization first takes the mean statistics of a few batches of training images,
        because the running ones are those of the largest network.
        """
        images = self._read()
        plan = tf.constant(self.shared.plan(values))
        for index, start in enumerate(range(0, len(images.train), _BATCH)):
            # The mean of all batches so far.
            momentum = tf.constant(index / (index + 1), tf.float32)
            self.shared.observed(images.train[start : start + _BATCH], plan, momentum)
        right = [
            (self._scores(pixels, plan).numpy().argmax(axis=1) == labels).sum()
            for pixels, labels in images.validation
        ]
        return float(np.sum(right) / len(self.session.dataset.validation))

    def _read(self) -> _Images:
        if self._images is None:
            data: Dataset = self.session.dataset
            train = calibration_images(
                data.train, self.network, _BATCHES * _BATCH, self.session.seed
            )
            order = np.random.default_rng(self.session.seed).permutation(len(train))
            learned = self.session.task.objective(self.network)
            batches = evaluation_batches(data.validation, self.network.input, learned, _BATCH)
            validation = tuple((x.numpy(), y.numpy().argmax(axis=1)) for x, y in batches)
            self._images = _Images(train[order], validation)
        return self._images
