"""The moving average of a network's weights."""

import tensorflow as tf
import tf_keras as keras


class Average(keras.callbacks.Callback):
    """Keeps the average beside the weights, and validates with it.

    Not Keras's `use_ema`: that leaves batch normalization's statistics behind, which then belong
    to other weights, and in a short run it is mostly the random start. Here the share that is
    kept begins at 2/11 and rises to `decay`, (1 + n) / (10 + n) after n steps, as in the papers'
    code (`tf.train.ExponentialMovingAverage` with its `num_updates`).

    The average is among the optimizer's variables, so checkpoints have it.

    Attributes:
        decay: share that is kept per step, in the end.
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
        """What belongs to the end of a training step, in its graph."""
        done = tf.cast(self.iterations, tf.float32)
        moved = 1 - tf.minimum(self.decay, (1 + done) / (10 + done))

        def move(strategy):
            for average, weight in self.pairs:
                strategy.extended.update(
                    average, lambda one, to: one.assign_sub(moved * (one - to)), args=(weight,)
                )

        tf.distribute.get_replica_context().merge_call(move)

    def get_weights(self):
        """The average, in the order of the network's weights."""
        return [average.numpy() for average, _ in self.pairs]

    def _swap(self) -> None:
        for average, weight in self.pairs:
            value = weight.numpy()
            weight.assign(average)
            average.assign(value)

    def on_test_begin(self, logs=None):
        self._swap()

    def on_test_end(self, logs=None):
        self._swap()
