"""Stage 1: images -> a float network."""

import time

import tf_keras as keras

from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.runs.models import saving
from mobilenet_tf.runs.provenance import write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teaching import teacher_of
from mobilenet_tf.training.float_training import train_float
from mobilenet_tf.training.statistics import adopt_statistics
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
        teacher = teacher_of(run)
        model = build_network(run.network, dropout=recipe.dropout)
        if settings.weights != "none":
            load_weights(model, settings.weights, run.network)
            if not recipe.transfer.bn_inference:
                count, seed = recipe.calibration, settings.seed
                few = calibration_images(run.data.train, run.network, count, seed)
                adopt_statistics(model, few)
        history, earlier = train_float(model, recipe, run.session(), teacher=teacher, until=until)
    write_model(run.folder, "float.keras", saving(model, run.classes))
    run.folder.update_result(
        history={"float": history},
        seconds={"train": round(time.monotonic() - started + earlier, 1)},
    )
    return model
