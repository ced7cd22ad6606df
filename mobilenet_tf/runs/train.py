"""Stage 1: images -> a float network."""

import time

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.runs.models import saving
from mobilenet_tf.runs.order import require_order
from mobilenet_tf.runs.provenance import write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teacher import is_model_file, load_teacher
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.float_training import train_float
from mobilenet_tf.training.strategy import training_scope

_ORDER_IMAGES, _PER_CLASS = 300, 3  # on which a teacher's order of classes is checked


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
        teacher = load_teacher(settings)
        if teacher is not None and is_model_file(settings.teacher) and not settings.teacher_labels:
            _require_order(teacher, run)
        model = build_network(run.network, dropout=recipe.dropout)
        if settings.weights != "none":
            load_weights(model, settings.weights, run.network)
        history, earlier = train_float(model, recipe, run.session(), teacher=teacher, until=until)
    write_model(run.folder, "float.keras", saving(model, run.classes))
    run.folder.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model


def _require_order(teacher: Teacher, run: Run) -> None:
    """Reject a model file whose classes are in another order than the folders of the data.

    Raises:
        UserError: Another order fits images far better.
    """
    network, seed = run.network, run.settings.seed
    count = max(_ORDER_IMAGES, _PER_CLASS * network.classes)
    few = [run.data.validation.balanced(count, seed)]
    if len(few[0]) < count:  # it may be too small to tell
        few.append(run.data.train.sample(count - len(few[0]), seed, network.input))
    images = np.concatenate([split.images for split in few])
    labels = np.concatenate([split.labels for split in few])
    predicted = np.concatenate(
        [
            np.asarray(teacher(tf.constant(network.input.normalise(images[start : start + 64]))))
            for start in range(0, len(images), 64)
        ]
    ).argmax(axis=1)
    confusion = np.zeros((network.classes, network.classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    remedy = "Give the class names in the order of its outputs with --teacher-labels FILE."
    require_order(confusion, run.classes, f"The teacher {run.settings.teacher}", remedy)
