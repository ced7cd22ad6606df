"""Train the float network in all phases of a recipe."""

import logging

import tf_keras as keras

from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.training.checkpoint import History
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.fit import Session, fit
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.strategy import synchronize_norms
from mobilenet_tf.training.transfer import freeze, phases, unfreeze

log = logging.getLogger(__name__)


def suited(recipe: Recipe, model: keras.Model) -> Recipe:
    """Return a recipe with the learning rate for a network; see `Recipe.norm_free_rate`."""
    if _norms(model):
        return recipe
    rate = recipe.train.learning_rate * recipe.norm_free_rate
    return recipe.with_fields({"train.learning_rate": rate})


def _norms(model: keras.Model) -> list[keras.layers.Layer]:
    return [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]


def prepare_norms(model: keras.Model, recipe: Recipe) -> None:
    """Give batch normalization the recipe's momentum, and the whole batch on several devices."""
    synchronize_norms(model)
    for layer in _norms(model):
        layer.momentum = recipe.bn_momentum


def _warn(recipe: Recipe, session: Session) -> None:
    train = session.dataset.train
    if isinstance(train, Split) and not recipe.train.class_weights:
        objective = session.task.objective(session.network)
        if caution := objective.caution(train.labels, session.dataset.classes):
            log.warning(caution)


def train_float(
    model: keras.Model,
    recipe: Recipe,
    session: Session,
    *,
    teacher: Teacher | None = None,
    until: int | None = None,
) -> tuple[History, float]:
    """Train a network by a recipe and leave it with the best weights, all layers trainable.

    Training continues after the last finished epoch if there are checkpoints. Call it inside
    `training_scope`, where the model was built.

    Args:
        model: Model of `session.network` with its initial weights.
        recipe: Settings of all phases.
        session: Dataset, batch size, seed and folders.
        teacher: Network whose outputs are learned in addition to the labels.
        until: Epoch after which to pause; the learning rate still follows the whole recipe.

    Returns:
        The history of all phases in a row, and the seconds spent on epochs before this call.

    Raises:
        UserError: As `fit`.
    """
    prepare_norms(model, recipe)
    recipe = suited(recipe, model)
    _warn(recipe, session)
    history: History = {}
    earlier = 0.0
    for phase in phases(recipe):
        left = None if until is None else until - len(history.get("loss", ()))
        if left is not None and left <= 0:
            break
        freeze(model, session.network, phase.share, recipe.transfer)
        # A second phase starts from a trained classifier, which may already be the best.
        curves, seconds = fit(
            model, phase, session, teacher=teacher, until=left, keep_initial=bool(history)
        )
        history = {name: history.get(name, []) + curve for name, curve in curves.items()}
        earlier += seconds
    unfreeze(model)
    return history, earlier
