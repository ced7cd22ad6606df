"""The networks that come with Keras, for comparison."""

import tf_keras as keras

from mobilenet_tf.networks.rows import Network

# Name in the zoo -> name in `tf_keras.applications` and its options.
APPLICATIONS = {
    "v1": ("MobileNet", {}),
    "v2": ("MobileNetV2", {}),
    "v3_large": ("MobileNetV3Large", {}),
    "v3_small": ("MobileNetV3Small", {}),
    "v3_large_minimalistic": ("MobileNetV3Large", {"minimalistic": True}),
    "v3_small_minimalistic": ("MobileNetV3Small", {"minimalistic": True}),
}


def application(network: Network, classes: int = 1000) -> keras.Model:
    """Return the network of `tf_keras.applications` with the name, alpha and size of `network`.

    It has random weights and takes images that are normalised already.
    """
    name, options = APPLICATIONS[network.name]
    if network.name.startswith("v3"):
        options = options | {"include_preprocessing": False}
    return getattr(keras.applications, name)(
        input_shape=(network.input.height, network.input.width, 3),
        alpha=network.alpha,
        weights=None,
        classes=classes,
        **options,
    )
