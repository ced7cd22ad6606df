"""Optimizer and learning rate schedule of a stage."""

import math
from typing import Any

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.training.recipe import Stage


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate that rises linearly from 0 and then decays; see `Decay`.

    Attributes:
        peak: Highest learning rate.
        warmup: Number of steps of the linear rise.
        steps: Number of steps of the whole stage.
        kind: `cosine` to 0 at the last step, `exponential` or `step`.
        rate: Factor per period of `exponential` and `step`.
        period: Number of steps per period, counted from the first step.
    """

    def __init__(
        self,
        peak: float,
        warmup: int,
        steps: int,
        kind: str = "cosine",
        rate: float = 1.0,
        period: float = 1.0,
    ):
        self.peak, self.warmup, self.steps = peak, warmup, steps
        self.kind, self.rate, self.period = kind, rate, period

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """Return the learning rate of a step, counted from 0."""
        step = tf.cast(step, tf.float32) + 1
        rising = step / max(self.warmup, 1)
        return self.peak * tf.where(step < self.warmup, rising, self._falling(step))

    def _falling(self, step: tf.Tensor) -> tf.Tensor:
        if self.kind == "cosine":
            done = (step - self.warmup) / max(self.steps - self.warmup, 1)
            return 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
        periods = (step - 1) / self.period
        return self.rate ** (tf.floor(periods) if self.kind == "step" else periods)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            "peak": self.peak,
            "warmup": self.warmup,
            "steps": self.steps,
            "kind": self.kind,
            "rate": self.rate,
            "period": self.period,
        }


def learning_rate(stage: Stage, steps: int) -> LearningRate:
    """Return the learning rate schedule of a stage with this number of steps."""
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
    """Return whether weight decay and L2 apply to a variable.

    They apply to kernels, but to depthwise ones only with `decay_depthwise` (V1, 3.2).
    """
    return variable.shape.rank > 1 and (stage.decay_depthwise or "depthwise" not in variable.name)


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW with one fused operation per variable instead of a dozen.

    A MobileNet has a hundred small variables, and starting the operations took longer than
    computing them.
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Update one variable and its moments."""
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
    """Return the optimizer of a stage, built for the trainable variables of a model.

    Args:
        model: Model to be trained.
        stage: Settings of optimizer, learning rate, weight decay, clipping and precision.
        steps: Number of steps of the whole stage.
    """
    settings = stage.optimizer
    rate = learning_rate(stage, steps)
    common = {"weight_decay": stage.weight_decay, "global_clipnorm": stage.clip_norm or None}
    if settings.name == "adamw":
        optimizer = AdamW(rate, epsilon=settings.epsilon, **common)
    elif settings.name == "rmsprop":
        optimizer = keras.optimizers.RMSprop(
            rate, settings.rho, settings.momentum, settings.epsilon, **common
        )
    else:
        optimizer = keras.optimizers.SGD(rate, settings.momentum, **common)
    if excluded := [one for one in model.trainable_variables if not decays(one, stage)]:
        optimizer.exclude_from_weight_decay(var_list=excluded)
    if stage.precision == "mixed_float16":  # small gradients would be rounded to 0
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer
