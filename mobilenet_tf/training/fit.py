"""The fit loop that float and quantization-aware training share."""

from functools import partial
from pathlib import Path

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.data.dataset import Dataset
from mobilenet_tf.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.training.callbacks import EpochProgress, KeepState
from mobilenet_tf.training.checkpoint import restore
from mobilenet_tf.training.determinism import SeedEpochs
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.learner import balancing_weights, logits_model, make_learner
from mobilenet_tf.training.logs import Logs
from mobilenet_tf.training.recipe import Stage
from mobilenet_tf.training.strategy import distribute, share_checkpoint

_EVALUATION_BATCH = 64


def fit(
    model: keras.Model,
    data: Dataset,
    spec: ModelSpec,
    stage: Stage,
    batch: int,
    seed: int,
    checkpoint: Path,
    title: str,
    logs: Path | None = None,
    teacher: Teacher | None = None,
    until: int | None = None,
) -> tuple[dict[str, list[float]], float]:
    """Train a classifier; afterwards it has the weights that were best in validation.

    Goes on from `checkpoint` where that file exists.

    Args:
        model: ends in a softmax.
        data: its train and validation pictures are used.
        spec: of the network.
        stage: its numbers.
        batch: pictures per step.
        seed: of order and augmentation.
        checkpoint: written after each epoch.
        title: what the progress bar says.
        logs: folder of the curves for other programs, see `Logs`.
        teacher: what the network learns from besides the labels.
        until: epochs after which to pause; the learning rate is that of the whole stage.

    Returns:
        Metric -> value per epoch, and the seconds that went into epochs before this call.

    Raises:
        UserError: the loss is not finite, or the checkpoint belongs to something else.
    """
    per_epoch = steps_per_epoch(data.train, batch)
    steps = stage.epochs * per_epoch
    learner = make_learner(model, stage, steps, teacher)
    if stage.class_weights:
        learner.class_weights = balancing_weights(data.train, spec.classes)
    fingerprint = f"{data.fingerprint}-{batch}-{seed}-{stage}"
    strategy = tf.distribute.get_strategy()
    share_checkpoint(checkpoint, fingerprint, strategy)
    state = restore(checkpoint, learner, fingerprint)
    earlier = sum(state.history.get("seconds", []))
    epochs = stage.epochs if until is None else min(until, stage.epochs)
    callbacks = [
        learner.average,  # first: the others see the network after validation
        SeedEpochs(seed),
        KeepState(state, checkpoint, fingerprint, stage.patience, learner.average or learner),
        Logs(state, logs) if logs else None,
        EpochProgress(title, epochs, batch),
    ]
    if not state.ended(epochs, stage.patience):
        learner.fit(
            distribute(
                partial(
                    training_batches,
                    *(data.train, spec, batch, seed, steps, state.epoch * per_epoch),
                    stage.augmentation,
                ),
                strategy,
            ),
            initial_epoch=state.epoch,
            epochs=epochs,
            steps_per_epoch=per_epoch,
            validation_data=evaluation_batches(data.validation, spec, _EVALUATION_BATCH),
            callbacks=list(filter(None, callbacks)),
            verbose=0,
        )
    logits_model(model).set_weights(state.best)
    return state.history, earlier
