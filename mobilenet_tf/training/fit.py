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
from mobilenet_tf.training.logs import Logs
from mobilenet_tf.training.optimizer import make_optimizer
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
        until: epochs after which to pause; the learning rate is that of the whole stage.

    Returns:
        Metric -> value per epoch, and the seconds that went into epochs before this call.

    Raises:
        UserError: the loss is not finite, or the checkpoint belongs to something else.
    """
    per_epoch = steps_per_epoch(data.train, batch)
    steps = stage.epochs * per_epoch
    learner = logits_model(model)
    learner.compile(
        make_optimizer(learner, stage, steps),
        keras.losses.CategoricalCrossentropy(True, label_smoothing=stage.label_smoothing),
        metrics=["accuracy"],
    )
    fingerprint = f"{data.fingerprint}-{batch}-{seed}-{stage}"
    strategy = tf.distribute.get_strategy()
    share_checkpoint(checkpoint, fingerprint, strategy)
    state = restore(checkpoint, learner, fingerprint)
    earlier = sum(state.history.get("seconds", []))
    epochs = stage.epochs if until is None else min(until, stage.epochs)
    if state.epoch < epochs:
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
            callbacks=[
                SeedEpochs(seed),
                KeepState(state, checkpoint, fingerprint),
                *([Logs(state, logs)] if logs else []),
                EpochProgress(title, epochs, batch),
            ],
            verbose=0,
        )
    learner.set_weights(state.best)
    return state.history, earlier


def logits_model(model: keras.Model) -> keras.Model:
    """The same layers up to the softmax: its rounded int8 output has no useful gradient."""
    return keras.Model(model.input, model.layers[-1].input)
