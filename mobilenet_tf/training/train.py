"""Stage 1: pictures -> a float network."""

import time

import tf_keras as keras

from mobilenet_tf.job import Job
from mobilenet_tf.models.build import build_from_spec
from mobilenet_tf.models.weights import load_weights
from mobilenet_tf.run_folder import write_atomically
from mobilenet_tf.training.fit import fit
from mobilenet_tf.training.strategy import synchronize_norms, training_scope


def train(job: Job, until: int | None = None, title: str = "Training") -> keras.Model:
    """Train the canonical network of a run and keep it as `float.keras`.

    Goes on from the last finished epoch where there is one.

    Args:
        until: see `fit`.
        title: of the progress bar.

    Returns:
        The network with the weights that were best in validation.
    """
    started = time.monotonic()
    with training_scope(job.strategy, job.seed, job.recipe.deterministic):
        model = build_from_spec(job.spec)
        if job.weights != "none":
            load_weights(model, job.weights)
        synchronize_norms(model)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = job.recipe.bn_momentum
        history, earlier = fit(
            model,
            job.data,
            job.spec,
            job.recipe.train,
            job.recipe.batch,
            job.seed,
            job.run.checkpoints / "float.npz",
            title,
            job.run.logs / "float",
            until,
        )
    write_atomically(job.run.float_model, model.save)
    job.run.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model
