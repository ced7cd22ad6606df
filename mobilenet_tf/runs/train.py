"""Stage 1: images -> a float network."""

import time

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.runs.order import ORDER_IMAGES, require_model_order
from mobilenet_tf.runs.provenance import write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teacher import load_teacher
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.float_training import train_float
from mobilenet_tf.training.strategy import training_scope


def train(run: Run, until: int | None = None) -> keras.Model:
    """Train the float network of a run and write it to `float.keras`.

    Training continues after the last finished epoch if there is a checkpoint.

    Args:
        run: The run.
        until: Epoch after which to pause; the learning rate still follows the whole recipe.

    Returns:
        The network with the weights that had the lowest validation loss.

    Raises:
        UserError: The loss is not finite, or weights, teacher or checkpoint cannot be used.
    """
    settings, started = run.settings, time.monotonic()
    recipe = settings.recipe
    with training_scope(run.strategy, settings.seed, recipe.deterministic):
        teacher = load_teacher(settings.teacher, run.network)
        if teacher is not None and settings.teacher.endswith((".keras", ".h5")):
            _require_order(teacher, run)
        model = build_network(run.network, dropout=recipe.dropout)
        if settings.weights != "none":
            load_weights(model, settings.weights, run.network)
        history, earlier = train_float(model, recipe, run.session(), teacher=teacher, until=until)
    write_model(run.folder, "float.keras", model.save)
    run.folder.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model


def _require_order(teacher: Teacher, run: Run) -> None:
    """Reject a model file whose classes are in another order than the folders of the data.

    Raises:
        UserError: Another order fits training images far better.
    """
    spec = run.network.input
    require_model_order(
        lambda pixels: teacher(tf.constant(spec.normalise(pixels))),
        run.data.train.sample(ORDER_IMAGES, run.settings.seed, spec),
        run.classes,
        f"The teacher {run.settings.teacher}",
        "Save a teacher whose outputs are in the order of the data.",
    )
