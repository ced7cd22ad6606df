"""The command line with a tiny network, which starts in a tenth of the time.

Run `python -m tests.training.tiny ARGUMENTS`; TINY_CPUS=N splits the CPU into N devices.
"""

import os

import tensorflow as tf
import tf_keras as keras


def build_tiny(network, dropout=None):
    """Replace `build_network`: batch normalization and weights, and little else."""
    inputs = keras.Input(network.input.shape)
    x = keras.layers.Conv2D(8, 3, strides=2, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Flatten()(keras.layers.ReLU()(x))
    outputs = keras.layers.Softmax()(keras.layers.Dense(network.classes)(x))
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    from mobilenet_tf.networks import keras_model

    keras_model.build_network = build_tiny  # before the module that trains imports it
    from mobilenet_tf.__main__ import main

    cpus = [tf.config.LogicalDeviceConfiguration()] * int(os.environ.get("TINY_CPUS", 1))
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], cpus)
    main()
