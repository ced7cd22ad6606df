"""The command line with a network of two layers, which starts in a tenth of the time.

`python -m tests.training.tiny ARGUMENTS`; TINY_CPUS=N makes so many devices of the processor.
"""

import os

import tensorflow as tf
import tf_keras as keras


def network(spec, dropout=None):
    """In place of `build_network`: what distribution is about, and little else."""
    inputs = keras.Input((spec.input.side, spec.input.side, spec.input.channels))
    x = keras.layers.Conv2D(8, 3, strides=2, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Flatten()(keras.layers.ReLU()(x))
    outputs = keras.layers.Softmax()(keras.layers.Dense(spec.classes)(x))
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    from mobilenet_tf.networks import keras_model

    keras_model.build_network = network  # before the module that trains imports it
    from mobilenet_tf.__main__ import main

    cpus = [tf.config.LogicalDeviceConfiguration()] * int(os.environ.get("TINY_CPUS", 1))
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], cpus)
    main()
