"""Small models as other people write them, with tf_keras or with Keras 3."""

import importlib
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.export import export
from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import KERAS_3

CLASSES = 10


def exported(what: Any, data: ModelData, **options: Any) -> RunFolder:
    """Export a trained model; return the folder."""
    return RunFolder(export(what, data=data, **options).folder)


def keras_3() -> Any:
    """The library, which this project does not use itself."""
    return importlib.import_module(KERAS_3)


def body(keras: Any, x: Any, classes: int = CLASSES) -> Any:
    """Two convolutions and logits."""
    layers = keras.layers
    x = layers.Conv2D(8, 3, 2, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, 2, activation="relu")(x)
    return layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))


def plain(keras: Any) -> Any:
    """Probabilities."""
    image = keras.Input((32, 32, 3))
    return keras.Model(image, keras.layers.Softmax()(body(keras, image)))


def logits(keras: Any) -> Any:
    """Scores without a softmax."""
    image = keras.Input((32, 32, 3))
    return keras.Model(image, body(keras, image))


def sigmoid(keras: Any) -> Any:
    """One probability, which separates two classes."""
    image = keras.Input((32, 32, 3))
    return keras.Model(image, keras.layers.Activation("sigmoid")(body(keras, image, 1)))


def oblong(keras: Any) -> Any:
    """An input that is not square."""
    image = keras.Input((24, 40, 3))
    return keras.Model(image, body(keras, image))


def batch(keras: Any) -> Any:
    """Built for eight images at a time."""
    image = keras.Input((32, 32, 3), batch_size=8)
    return keras.Model(image, body(keras, image))


def preprocessing(keras: Any) -> Any:
    """Augmentation and scaling of raw pixels inside."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(image))
    return keras.Model(image, body(keras, layers.Rescaling(1 / 127.5, offset=-1.0)(x)))


def operators(keras: Any) -> Any:
    """Arithmetic on tensors in place of layers."""
    image = keras.Input((32, 32, 3))
    return keras.Model(image, body(keras, image / 127.5 - 1.0))


def nested(keras: Any) -> Any:
    """A backbone as one layer of a sequential model."""
    image = keras.Input((32, 32, 3))
    features = keras.layers.Conv2D(8, 3, 2, activation="relu")(image)
    layers = keras.layers
    pooled = layers.GlobalAveragePooling2D()
    head = layers.Dense(CLASSES, activation="softmax")
    return keras.Sequential(
        [keras.Input((32, 32, 3)), keras.Model(image, features), pooled, layers.Dropout(0.2), head]
    )


KINDS = (plain, logits, sigmoid, oblong, batch, preprocessing, operators, nested)
RAW = ("preprocessing", "operators")  # that take raw pixels


def saved(kind: Any, keras: Any, folder: Path, suffix: str = ".keras") -> Path:
    """Write such a model with reproducible weights; return its path."""
    keras.utils.set_random_seed(4)
    path = folder / f"{kind.__name__}{suffix}"
    kind(keras).save(path)
    return path
