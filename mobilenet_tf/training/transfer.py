"""From trained weights to other classes: first the classifier alone, then what is below it."""

from dataclasses import dataclass, replace

import tf_keras as keras

from mobilenet_tf.networks.published.names import head_layers
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.training.recipe import Recipe, Stage, Transfer


@dataclass(frozen=True)
class Phase:
    """A part of float training with its own optimizer and learning rate.

    Attributes:
        name: of its checkpoint.
        title: what the progress bar says.
        stage: its numbers.
        share: of the layers with weights, from the top, that learn; 0 for the head alone.
    """

    name: str
    title: str
    stage: Stage
    share: float


def phases(recipe: Recipe) -> list[Phase]:
    """Float training in its parts: one, or two where layers are frozen at first."""
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


def freeze(model: keras.Model, spec: Network, share: float, transfer: Transfer) -> None:
    """Choose what learns. Frozen batch normalization is in inference mode, as Keras does it.

    Args:
        model: of the zoo, with classifier.
        spec: of the model.
        share: of the layers with weights that learn, from the top; the head always does.
        transfer: says whether batch normalization may learn.
    """
    head = head_layers(spec)
    layers = [layer for layer in model.layers if layer.weights]
    first = len(layers) - round(share * len(layers))
    for index, layer in enumerate(layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        learns = index >= first and not (norm and transfer.bn_inference)
        layer.trainable = layer.name in head or learns


def unfreeze(model: keras.Model) -> None:
    """Undo `freeze`, which is saved with a model."""
    for layer in model.layers:
        layer.trainable = True
