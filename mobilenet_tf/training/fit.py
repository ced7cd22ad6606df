"""The fit loop that float and quantization-aware training share."""

from pathlib import Path

import numpy as np
import tf_keras as keras

from mobilenet_tf.data.dataset import Dataset, Split
from mobilenet_tf.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.training.callbacks import EpochProgress, KeepState
from mobilenet_tf.training.checkpoint import restore
from mobilenet_tf.training.learner import Teacher, logits_model, make_learner
from mobilenet_tf.training.recipe import Stage

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
    teacher: Teacher | None = None,
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
        teacher: what the network learns from besides the labels.

    Returns:
        Metric -> value per epoch, and the seconds that went into epochs before this call.

    Raises:
        UserError: the loss is not finite, or the checkpoint belongs to something else.
    """
    per_epoch = steps_per_epoch(data.train, batch)
    steps = stage.epochs * per_epoch
    learner = make_learner(model, stage, steps, teacher)
    fingerprint = f"{data.fingerprint}-{batch}-{seed}-{stage}"
    state = restore(checkpoint, learner, fingerprint)
    earlier = sum(state.history.get("seconds", []))
    if not state.ended(stage.epochs, stage.patience):
        keep = KeepState(state, checkpoint, fingerprint, stage.patience, learner.average or learner)
        callbacks = [keep, EpochProgress(title, stage.epochs, batch)]
        learner.fit(
            training_batches(
                data.train, spec, batch, seed, steps, state.epoch * per_epoch, stage.augmentation
            ),
            initial_epoch=state.epoch,
            epochs=stage.epochs,
            steps_per_epoch=per_epoch,
            validation_data=evaluation_batches(data.validation, spec, _EVALUATION_BATCH),
            class_weight=balancing_weights(data.train, spec) if stage.class_weights else None,
            callbacks=[learner.average, *callbacks] if learner.average else callbacks,
            verbose=0,
        )
    logits_model(model).set_weights(state.best)
    return state.history, earlier


def balancing_weights(split: Split, spec: ModelSpec) -> dict[int, float]:
    """Class -> weight of its pictures, so that all classes weigh the same and the mean is 1."""
    counts = np.bincount(split.labels, minlength=spec.classes)
    present = np.count_nonzero(counts)
    return {
        label: len(split) / (present * count) if count else 0.0
        for label, count in enumerate(counts.tolist())
    }
