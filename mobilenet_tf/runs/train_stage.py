"""Stage 1: pictures -> a float network."""

import time

import tf_keras as keras

from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.runs.run import Job
from mobilenet_tf.runs.teacher import load_teacher
from mobilenet_tf.training.float_training import train_float
from mobilenet_tf.training.strategy import training_scope


def train(job: Job, until: int | None = None) -> keras.Model:
    """Train the canonical network of a run and keep it as `float.keras`.

    Goes on from the last finished epoch where there is one.

    Args:
        until: epochs after which to pause, see `fit`.

    Returns:
        The network with the weights that were best in validation.
    """
    started = time.monotonic()
    with training_scope(job.strategy, job.seed, job.recipe.deterministic):
        teacher = load_teacher(job.teacher, job.spec)
        model = build_network(job.spec, dropout=job.recipe.dropout)
        if job.weights != "none":
            load_weights(model, job.weights)
        history, earlier = train_float(
            model, job.recipe, job.session(), teacher=teacher, until=until
        )
    write_atomically(job.run.float_model, model.save)
    job.run.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model
