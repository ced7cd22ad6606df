"""The networks that come with Keras, for comparison."""

from mobilenet_tf.networks.rows import Network

_MAKERS = {
    "v1": ("MobileNet", {}),
    "v2": ("MobileNetV2", {}),
    "v3_large": ("MobileNetV3Large", {}),
    "v3_small": ("MobileNetV3Small", {}),
    "v3_large_minimalistic": ("MobileNetV3Large", {"minimalistic": True}),
    "v3_small_minimalistic": ("MobileNetV3Small", {"minimalistic": True}),
}


def application(spec: Network, **options):
    """The network of `tf_keras.applications` with a specification's name, alpha and size.

    Random weights; pictures as they are normalised here. `options` are its function's own.
    """
    import tf_keras as keras

    maker, own = _MAKERS[spec.name]
    if spec.name.startswith("v3"):
        own = own | {"include_preprocessing": False}
    return getattr(keras.applications, maker)(
        input_shape=(spec.input.side, spec.input.side, 3),
        alpha=spec.alpha,
        weights=None,
        **own,
        **options,
    )
