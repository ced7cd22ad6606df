"""Stage 1: pictures -> a float network."""

import time

import tf_keras as keras

from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.runs.run import Job
from mobilenet_tf.training.distillation import load_teacher
from mobilenet_tf.training.fit import fit
from mobilenet_tf.training.strategy import synchronize_norms, training_scope
from mobilenet_tf.training.transfer import freeze, phases, unfreeze


def train(job: Job, until: int | None = None) -> keras.Model:
    """Train the canonical network of a run and keep it as `float.keras`.

    Goes on from the last finished epoch where there is one.

    Args:
        until: epochs after which to pause, see `fit`.

    Returns:
        The network with the weights that were best in validation.
    """
    started, history, earlier = time.monotonic(), {}, 0.0
    with training_scope(job.strategy, job.seed, job.recipe.deterministic):
        teacher = load_teacher(job.teacher, job.spec)
        model = build_network(job.spec, dropout=job.recipe.dropout)
        if job.weights != "none":
            load_weights(model, job.weights)
        synchronize_norms(model)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = job.recipe.bn_momentum
        for phase in phases(job.recipe):
            left = None if until is None else until - len(history.get("loss", ()))
            if left is not None and left <= 0:
                break
            freeze(model, job.spec, phase.share, job.recipe.transfer)
            # After the classifier's phase every layer is trained.
            later = bool(history)
            curves, seconds = fit(
                model, job, phase.stage, phase.name, phase.title, teacher, left, trained=later
            )
            history = {name: history.get(name, []) + curve for name, curve in curves.items()}
            earlier += seconds
    unfreeze(model)
    write_atomically(job.run.float_model, model.save)
    job.run.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model
