"""The fit loop that float and quantization-aware training share."""

from functools import partial

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch, training_batches
from mobilenet_tf.runs.run import Job
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
    job: Job,
    stage: Stage,
    name: str,
    title: str,
    teacher: Teacher | None = None,
    until: int | None = None,
    trained: bool = False,
) -> tuple[dict[str, list[float]], float]:
    """Train a classifier; afterwards it has the weights that were best in validation.

    Goes on from the stage's checkpoint where there is one; it is written after each epoch.

    Args:
        model: ends in a softmax.
        job: gives pictures, batch, seed and the places of checkpoint and logs.
        stage: its numbers.
        name: of the checkpoint and the logs.
        title: what the progress bar says.
        teacher: what the network learns from besides the labels.
        until: epochs after which to pause; the learning rate is that of the whole stage.
        trained: the network as it comes is good enough to be kept if no epoch makes it better.

    Returns:
        Metric -> value per epoch, and the seconds that went into epochs before this call.

    Raises:
        UserError: the loss is not finite, or the checkpoint belongs to something else.
    """
    data, spec, batch, seed = job.data, job.spec, job.recipe.batch, job.seed
    checkpoint = job.run.checkpoints / f"{name}.npz"
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
    validation = evaluation_batches(data.validation, spec, _EVALUATION_BATCH)
    if trained and state.best is None:
        state.best_loss = learner.evaluate(validation, return_dict=True, verbose=0)["loss"]
        state.best = learner.get_weights()
    callbacks = [
        learner.average,  # first: the others see the network after validation
        SeedEpochs(seed),
        KeepState(state, checkpoint, fingerprint, stage.patience, learner.average or learner),
        Logs(state, job.run.logs / name),
        EpochProgress(title, epochs, batch),
    ]
    if not state.ended(epochs, stage.patience):
        batches = partial(
            training_batches,
            *(data.train, spec, batch, seed, steps, state.epoch * per_epoch),
            stage.augmentation,
        )
        learner.fit(
            distribute(batches, strategy),
            initial_epoch=state.epoch,
            epochs=epochs,
            steps_per_epoch=per_epoch,
            validation_data=validation,
            callbacks=list(filter(None, callbacks)),
            verbose=0,
        )
    logits_model(model).set_weights(state.best)
    return state.history, earlier
