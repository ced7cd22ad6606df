"""The optimizer of a stage, and its learning rate."""

import math

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.training.recipe import Stage


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """From 0 up to `peak` in a line, then down.

    Attributes:
        peak: the highest learning rate.
        warmup: steps of rising.
        steps: steps in all.
        kind: a `Decay`'s: along half a cosine to 0 at the last step, or times `rate` ...
        rate: ... after ...
        period: ... so many steps, which are counted from the first.
    """

    def __init__(self, peak: float, warmup: int, steps: int, kind="cosine", rate=1.0, period=1.0):
        self.peak, self.warmup, self.steps = peak, warmup, steps
        self.kind, self.rate, self.period = kind, rate, period

    def __call__(self, step):
        step = tf.cast(step, tf.float32) + 1
        rising = step / max(self.warmup, 1)
        return self.peak * tf.where(step < self.warmup, rising, self._falling(step))

    def _falling(self, step):
        if self.kind == "cosine":
            done = (step - self.warmup) / max(self.steps - self.warmup, 1)
            return 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
        periods = (step - 1) / self.period
        return self.rate ** (tf.floor(periods) if self.kind == "step" else periods)

    def get_config(self):
        return {
            "peak": self.peak,
            "warmup": self.warmup,
            "steps": self.steps,
            "kind": self.kind,
            "rate": self.rate,
            "period": self.period,
        }


def learning_rate(stage: Stage, steps: int) -> LearningRate:
    """The learning rate of a stage of so many steps."""
    decay = stage.decay
    return LearningRate(
        stage.learning_rate,
        round(stage.warmup * steps),
        steps,
        decay.kind,
        decay.rate,
        decay.epochs * steps / stage.epochs,
    )


def decays(variable: tf.Variable, stage: Stage) -> bool:
    """Whether weight decay and L2 reach a variable: kernels, but not depthwise ones (V1, 3.2)."""
    return variable.shape.rank > 1 and (stage.decay_depthwise or "depthwise" not in variable.name)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class AdamW(keras.optimizers.AdamW):
    """Keras's, whose dozen operations per variable are one here.

    A MobileNet has a hundred small variables: launching took longer than computing.
    """

    def update_step(self, gradient, variable):
        index = self._index_dict[self._var_key(variable)]
        done = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].handle,
            v=self._velocities[index].handle,
            beta1_power=self.beta_1**done,
            beta2_power=self.beta_2**done,
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def make_optimizer(model: keras.Model, stage: Stage, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a stage, built for what `model` trains.

    Args:
        model: whose variables are trained.
        stage: optimizer, rate, decay, clipping and precision.
        steps: of the whole stage.
    """
    numbers = stage.optimizer
    rate = learning_rate(stage, steps)
    common = {"weight_decay": stage.weight_decay, "global_clipnorm": stage.clip_norm or None}
    if numbers.name == "adamw":
        optimizer = AdamW(rate, epsilon=numbers.epsilon, **common)
    elif numbers.name == "rmsprop":
        optimizer = keras.optimizers.RMSprop(
            rate, numbers.rho, numbers.momentum, numbers.epsilon, **common
        )
    else:
        optimizer = keras.optimizers.SGD(rate, numbers.momentum, **common)
    if kept := [one for one in model.trainable_variables if not decays(one, stage)]:
        optimizer.exclude_from_weight_decay(var_list=kept)
    if stage.precision == "mixed_float16":  # whose small gradients would be 0
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer
