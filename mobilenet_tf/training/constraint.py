"""Weights that are changed at the end of each training step, so that they keep a structure."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import tensorflow as tf
import tf_keras as keras

# A variable, a function of it, and variables that the function reads too.
Change = tuple[tf.Variable, Callable[..., tf.Tensor], tuple[tf.Variable, ...]]


class Enforcer(keras.callbacks.Callback):
    """Keeps the structure while a learner is trained.

    Attributes:
        rising: Number of epochs that end before the weights have it.
    """

    rising = 0

    def changes(self) -> Iterable[Change]:
        """Return what is changed after a step."""
        raise NotImplementedError

    def update(self) -> None:
        """Change the weights; call it at the end of a training step, in the step's graph."""

        def apply(strategy: tf.distribute.Strategy) -> None:
            for weight, change, others in self.changes():

                def assign(one: Any, *rest: Any, change: Any = change) -> Any:
                    return one.assign(change(one, *rest))

                strategy.extended.update(weight, assign, args=others)

        tf.distribute.get_replica_context().merge_call(apply)


class Constraint(Protocol):
    """What weights have to be in a phase of training."""

    def enforcer(self, learner: keras.Model, epochs: int, per_epoch: int) -> Enforcer:
        """Return the callback that keeps a learner's weights so.

        Args:
            learner: The learner, compiled.
            epochs: Number of epochs of the phase.
            per_epoch: Steps of an epoch.
        """
