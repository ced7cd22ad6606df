"""The optimizer of a stage."""

import math

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.training.recipe import Stage


@keras.saving.register_keras_serializable(package="mobilenet_tf")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """From 0 up to `peak` in a line, then down to 0 along half a cosine.

    Attributes:
        peak: the highest learning rate.
        warmup: steps of rising.
        steps: steps in all.
    """

    def __init__(self, peak: float, warmup: int, steps: int):
        self.peak, self.warmup, self.steps = peak, warmup, steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32) + 1
        rising = step / max(self.warmup, 1)
        done = (step - self.warmup) / max(self.steps - self.warmup, 1)
        falling = 0.5 * (1 + tf.cos(math.pi * tf.clip_by_value(done, 0.0, 1.0)))
        return self.peak * tf.where(step < self.warmup, rising, falling)

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps}


def make_optimizer(model: keras.Model, stage: Stage, steps: int) -> keras.optimizers.Optimizer:
    """AdamW whose decay leaves out depthwise kernels, biases and normalization (V1, 3.2).

    Args:
        model: whose variables are trained.
        stage: rate, decay and clipping.
        steps: of the whole stage.
    """
    optimizer = keras.optimizers.AdamW(
        WarmupCosine(stage.learning_rate, round(stage.warmup * steps), steps),
        weight_decay=stage.weight_decay,
        clipnorm=stage.clip_norm,
    )
    kept = [
        variable
        for variable in model.trainable_variables
        if variable.shape.rank < 2 or "depthwise" in variable.name
    ]
    if kept:
        optimizer.exclude_from_weight_decay(var_list=kept)
    optimizer.build(model.trainable_variables)
    return optimizer
