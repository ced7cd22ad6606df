"""Weights that are zero in training: those that stay so, and more of them by a schedule."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.pruning import sparsity_at
from mobilenet_tf.training.constraint import Change, Enforcer

# (kernel, share of weights that are to be zero) -> the kernel with so many zeros.
Pruning = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True, eq=False)
class Sparsity:
    """A constraint: which weights are zero in a phase of training.

    Attributes:
        weights: The variables. What is zero in them at the beginning stays zero.
        pruning: What sets more of their weights to zero, or None.
        final: The share of zeros that pruning reaches in each of them.
        end: Share of the steps after which it has reached it.
        every: Number of steps from one pruning to the next.
    """

    weights: Sequence[tf.Variable]
    pruning: Pruning | None = None
    final: Sequence[float] = ()
    end: float = 0.0
    every: int = 1

    def enforcer(self, learner: keras.Model, epochs: int, per_epoch: int) -> Enforcer:
        """Return the callback that keeps zeros and makes more of them."""
        return Masks(learner, self, epochs, per_epoch)


class Masks(Enforcer):
    """Keep zeros zero, and make more of them by the schedule of Zhu and Gupta (2017).

    The masks are variables of the optimizer and therefore part of every checkpoint.
    """

    def __init__(self, learner: keras.Model, sparsity: Sparsity, epochs: int, per_epoch: int):
        super().__init__()
        self.sparsity, self.per_epoch = sparsity, per_epoch
        steps = epochs * per_epoch
        self.last = min(round(sparsity.end * steps), steps - 1) if sparsity.pruning else 0
        self.rising = self.last // per_epoch
        owner = getattr(learner.optimizer, "inner_optimizer", learner.optimizer)
        self.pairs = [
            (
                owner.add_variable_from_reference(
                    weight, "mask", initial_value=tf.cast(weight != 0, weight.dtype)
                ),
                weight,
            )
            for weight in sparsity.weights
        ]

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remember the number of the first step."""
        self.first = epoch * self.per_epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Choose the weights that become zero after this step."""
        step, pruning = self.first + batch, self.sparsity.pruning
        if pruning and step <= self.last and (step % self.sparsity.every == 0 or step == self.last):
            for (mask, weight), final in zip(self.pairs, self.sparsity.final, strict=True):
                share = sparsity_at(step, 0, self.last, final)
                # A weight that is zero has the least magnitude, so it stays among the zeros.
                mask.assign(pruning(weight.numpy(), share) != 0)

    def changes(self) -> Iterable[Change]:
        """Set masked weights to zero."""
        return [(weight, lambda one, by: one * by, (mask,)) for mask, weight in self.pairs]
