"""Brief trainings of many networks cut from the same one, as masks on one traced graph."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.batch_plan import BatchPlan
from mobilenet_tf.datasets.dataset import Split, TrainingImages, rescale
from mobilenet_tf.datasets.pipeline import evaluation_batches, training_batches
from mobilenet_tf.networks.channel_weights import Weights, cut_weights
from mobilenet_tf.networks.channels import Cut
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.objective import Objective
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.training.determinism import SeedEpochs
from mobilenet_tf.training.learner import Learner, make_learner
from mobilenet_tf.training.masked import masked_model, masks
from mobilenet_tf.training.recipe import Recipe

_EVALUATION_BATCH = 64
# What a training leaves of the statistics of batch normalization that it began with, at most. They
# are those of the network before the cut, and many networks classify nothing with them.
_LEFT = 0.1


@dataclass(frozen=True)
class Judged:
    """Accuracy, from 0 to 1, and loss on the images that are set aside."""

    accuracy: float
    loss: float


class ShortTraining:
    """Trains and judges cuts of one network after the other.

    All cuts of a step learn the same batches, so that only the cut differs. The result depends on
    the network, its weights, the step and the seed; not on earlier steps.

    Args:
        task: What the networks are for.
        recipe: Gives everything but the learning rate and the number of batches.
        batches: Number of batches per training.
        learning_rate: Highest learning rate, from which it falls as in the recipe.
        learned: Images to train on.
        aside: Images to judge on.
        seed: Seed of the images' order, of augmentation and of dropout.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        *,
        batches: int,
        learning_rate: float,
        learned: TrainingImages,
        aside: Split,
        seed: int,
    ):
        self.task, self.recipe, self.batches, self.seed = task, recipe, batches, seed
        # No moving average of the weights: after few batches it would be the initial weights.
        self.stage = replace(
            recipe.train, epochs=1, learning_rate=learning_rate, warmup=0.0, ema=0.0
        )
        self.stage = replace(self.stage, precision="float32", xla=False)
        self.learned, self.aside = learned, aside

    def begin(self, network: Network, weights: Weights, step: int) -> Judged:
        """Build the model of a step's network, and judge the network as it is.

        Args:
            network: The network.
            weights: Its weights.
            step: Number of the step; decides which batches are learned.
        """
        keras.backend.clear_session()
        self.network, self.step = network, step
        input_spec = network.input
        aside = replace(self.aside, images=rescale(self.aside.images, input_spec))
        self._objective: Objective = self.task.objective(network)
        self._judging = evaluation_batches(aside, input_spec, self._objective, _EVALUATION_BATCH)
        model = masked_model(network.with_dropout(self.recipe.dropout))
        momentum = min(self.recipe.bn_momentum, _LEFT ** (1 / max(1, self.batches)))
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = momentum
        self._learner = make_learner(model, self._objective, self.stage, max(1, self.batches))
        if self.stage.class_weights:
            self._learner.class_weights = self._objective.class_weights(self.learned.labels)
        self._weights = _weights(self._learner) | dict(weights)
        self._optimizer = [one.numpy() for one in self._learner.optimizer.variables]
        self._assign(self._weights)
        return self._judged()

    def judge(self, cut: Cut) -> tuple[Judged, Weights]:
        """Train a cut of the network; return its result and the smaller network's weights."""
        self._assign(self._weights | masks(cut))
        for variable, value in zip(self._learner.optimizer.variables, self._optimizer, strict=True):
            variable.assign(value)
        if self.batches:
            self._learner.fit(
                self._batches(),
                initial_epoch=self.step,
                epochs=self.step + 1,
                steps_per_epoch=self.batches,
                callbacks=[SeedEpochs(self.seed)],
                verbose=0,
            )
        return self._judged(), cut_weights(cut, _weights(self._learner))

    def _batches(self) -> tf.data.Dataset:
        start = self.step * self.batches
        plan = BatchPlan(
            batch=self.recipe.batch, seed=self.seed, steps=start + self.batches, start_step=start
        )
        return training_batches(
            self.learned,
            self.network.input,
            self._objective,
            plan,
            augmentation=self.stage.augmentation,
        )

    def _assign(self, weights: Weights) -> None:
        for layer in self._learner.layers:
            if layer.weights:
                layer.set_weights(weights[layer.name])

    def _judged(self) -> Judged:
        found = self._learner.evaluate(self._judging, return_dict=True, verbose=0)
        return Judged(float(found[self.task.curve]), float(found["loss"]))


def _weights(model: Learner) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
