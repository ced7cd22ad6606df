"""Transfer learning: train the new classifier alone, then also the layers below it."""

from dataclasses import dataclass, replace

import tf_keras as keras

from mobilenet_tf.networks.published.names import head_layers
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.training.constraint import Constraint
from mobilenet_tf.training.recipe import Recipe, Stage, Transfer


@dataclass(frozen=True)
class Phase:
    """A part of training with its own optimizer, learning rate and checkpoint.

    Attributes:
        name: Name of the checkpoint and of the logs.
        title: Text in front of the progress bar.
        stage: Training settings.
        share: Share of the layers with weights, counted from the output, that are trained;
            0 trains the head only.
        origin: Text that changes with what made the weights at the beginning, as far as the
            session does not say it.
        constraint: What some weights have to be, if any.
    """

    name: str
    title: str
    stage: Stage
    share: float = 1.0
    origin: str = ""
    constraint: Constraint | None = None


def phases(recipe: Recipe) -> list[Phase]:
    """Return the phases of float training: two if layers are frozen at first, otherwise one."""
    stage, transfer = recipe.train, recipe.transfer
    frozen = round(transfer.frozen * stage.epochs)
    after = replace(
        stage,
        epochs=stage.epochs - frozen,
        learning_rate=stage.learning_rate * transfer.rate,
    )
    parts = [
        Phase("head", "Training the classifier", replace(stage, epochs=frozen), 0.0),
        Phase("float", "Training", after, transfer.unfrozen),
    ]
    return [part for part in parts if part.stage.epochs]


def freeze(model: keras.Model, network: Network, share: float, transfer: Transfer) -> None:
    """Choose which layers are trained. Frozen batch normalization runs in inference mode.

    Args:
        model: Model of `network`, with its head.
        network: Description of the model; tells the layers of the head.
        share: Share of the layers with weights, counted from the output, that are trained. The
            head is always trained.
        transfer: Settings; `bn_inference` keeps batch normalization frozen everywhere.
    """
    head = head_layers(network)
    layers = [layer for layer in model.layers if layer.weights]
    first = len(layers) - round(share * len(layers))
    for index, layer in enumerate(layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        learns = index >= first and not (norm and transfer.bn_inference)
        layer.trainable = layer.name in head or learns


def unfreeze(model: keras.Model) -> None:
    """Make all layers trainable again; the flags would be saved with the model."""
    for layer in model.layers:
        layer.trainable = True
