"""Names or specifications -> Keras models."""

import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks import v1, v2, v3
from mobilenet_tf.networks.spec import ModelSpec
from mobilenet_tf.networks.zoo import ZOO, model_spec

FAMILIES = {"v1": v1, "v2": v2, "v3": v3}
POOLINGS = (None, "avg", "max")


def build(
    name: str,
    alpha: float = 1.0,
    size: int = 224,
    classes: int = 1000,
    channels: int = 3,
    include_top: bool = True,
    pooling: str | None = None,
    dropout: float | None = None,
) -> keras.Model:
    """Build a network of the zoo with random weights.

    Args:
        name: `v1`, `v2`, `v3_large`, `v3_small`, `v3_large_minimalistic` or
            `v3_small_minimalistic`.
        alpha: width multiplier, > 0.
        size: side of the square input in pixels, >= 32.
        classes: outputs of the classifier.
        channels: 3 (RGB) or 1 (grey).
        include_top: with the classifier, or the features before it.
        pooling: of the features: None keeps the map, `avg` and `max` make a vector of it.
        dropout: rate before the classifier; None takes the zoo's.

    Returns:
        A flat functional model from (None, size, size, channels), float32 in [-1, 1], to class
        probabilities (None, classes), or to features where `include_top` is False. The model's
        `spec` attribute is its `ModelSpec`; it is not saved with the model.

    Raises:
        UserError: a value that is not accepted.
    """
    spec = model_spec(name, alpha, size, classes, channels)
    return build_from_spec(spec, include_top, pooling, dropout)


def build_from_spec(
    spec: ModelSpec,
    include_top: bool = True,
    pooling: str | None = None,
    dropout: float | None = None,
) -> keras.Model:
    """Build the network of a specification, whose rows may differ from the zoo's.

    Arguments, result and errors are those of `build`.
    """
    entry = ZOO[spec.name]
    if pooling not in POOLINGS:
        raise UserError(f"pooling is {pooling!r}; it must be None, 'avg' or 'max'.")
    if include_top and pooling:
        raise UserError(f"pooling is {pooling!r}; with include_top it must be None.")
    dropout = entry.dropout if dropout is None else dropout
    if not 0 <= dropout < 1:
        raise UserError(f"dropout is {dropout}; it must be at least 0 and less than 1.")

    inputs = keras.Input((spec.size, spec.size, spec.channels), name="image")
    outputs = FAMILIES[entry.family].network(inputs, spec, include_top, pooling, dropout)
    model = keras.Model(inputs, outputs, name=f"{spec.name}_{float(spec.alpha)}_{spec.size}")
    model.spec = spec
    return model
