"""Exponential moving average of a network's weights."""

import numpy as np
import tensorflow as tf
import tf_keras as keras


class Average(keras.callbacks.Callback):
    """Maintain the average of all weights, and validate with it.

    Keras's `use_ema` is no replacement: it leaves out the statistics of batch normalization, and
    in a short run the random initial weights dominate its average. Here the decay after n steps
    is min(decay, (1 + n) / (10 + n)), so it starts at 2/11, as in the papers' code
    (`tf.train.ExponentialMovingAverage` with `num_updates`).

    The averages are variables of the optimizer and therefore part of every checkpoint.

    Attributes:
        decay: Largest share of the average that remains after a step.
        iterations: Number of steps done, the optimizer's variable.
        pairs: (average, weight) in the order of the network's weights.
    """

    def __init__(self, learner: keras.Model, decay: float):
        super().__init__()
        self.decay, self.iterations = decay, learner.optimizer.iterations
        owner = getattr(learner.optimizer, "inner_optimizer", learner.optimizer)
        self.pairs = [
            (owner.add_variable_from_reference(weight, "average", initial_value=weight), weight)
            for weight in learner.weights
        ]

    def update(self) -> None:
        """Update the average at the end of a training step; call it in the step's graph."""
        done = tf.cast(self.iterations, tf.float32)
        rate = 1 - tf.minimum(self.decay, (1 + done) / (10 + done))

        def move(strategy: tf.distribute.Strategy) -> None:
            for average, weight in self.pairs:
                strategy.extended.update(
                    average, lambda one, to: one.assign_sub(rate * (one - to)), args=(weight,)
                )

        tf.distribute.get_replica_context().merge_call(move)

    def get_weights(self) -> list[np.ndarray]:
        """Return the average, in the order of the network's weights."""
        return [average.numpy() for average, _ in self.pairs]

    def _swap(self) -> None:
        for average, weight in self.pairs:
            value = weight.numpy()
            weight.assign(average)
            average.assign(value)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Put the average into the network."""
        self._swap()

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Put the trained weights back."""
        self._swap()
