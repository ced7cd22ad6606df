"""Models as other people write them, for `benchmarks.pretrained`; they have random weights."""

from collections.abc import Callable
from typing import Any

Make = Callable[[Any], Any]  # a Keras library -> a model
CLASSES, SIDE = 10, 64
UNSCALED, _RAW = (127.5, 127.5), (0.0, 1.0)


def _network(name: str, **options: Any) -> Make:
    """Return a function that makes a network of `applications`, with random weights."""

    def make(keras: Any) -> Any:
        shape = (SIDE, SIDE, 3)
        found = getattr(keras.applications, name)
        return found(input_shape=shape, weights=None, classes=CLASSES, **options)

    return make


def _small(
    before: Callable[[Any, Any], Any] = lambda keras, x: x,
    after: Callable[[Any, Any], Any] = lambda keras, x: keras.layers.Softmax()(x),
    shape: tuple[int | None, int | None, int] = (SIDE, SIDE, 3),
    classes: int = CLASSES,
    **options: Any,
) -> Make:
    """Return a function that makes two convolutions, with something before and after them."""

    def make(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input(shape, **options)
        x = layers.Conv2D(16, 3, 2, use_bias=False)(before(keras, image))
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.DepthwiseConv2D(3, 2, activation="relu")(x)
        x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(image, after(keras, x))

    return make


def _nested(keras: Any) -> Any:
    layers, options = keras.layers, {"include_top": False, "weights": None}
    backbone = keras.applications.MobileNetV2((SIDE, SIDE, 3), 0.35, **options)
    pooled, head = layers.GlobalAveragePooling2D(), layers.Dense(CLASSES, activation="softmax")
    return keras.Sequential([keras.Input((SIDE, SIDE, 3)), backbone, pooled, head])


def _augmented(keras: Any, x: Any) -> Any:
    layers = keras.layers
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(x))
    return layers.Rescaling(1 / 127.5, offset=-1.0)(x)


def _two_inputs(keras: Any) -> Any:
    left, right = (keras.Input((SIDE, SIDE, 3)) for _ in range(2))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([left, right]))
    return keras.Model([left, right], keras.layers.Dense(CLASSES)(x))


# What, library, suffix, (mean, std), model.
CASES: tuple[tuple[str, str, str, tuple[float, float], Make], ...] = (
    ("MobileNet V3-Small", "tf_keras", ".h5", _RAW, _network("MobileNetV3Small")),
    ("EfficientNet-B0", "tf_keras", ".keras", _RAW, _network("EfficientNetB0")),
    ("ResNet-50", "tf_keras", ".h5", UNSCALED, _network("ResNet50")),
    ("DenseNet-121", "tf_keras", ".keras", UNSCALED, _network("DenseNet121")),
    ("a network as a layer", "tf_keras", ".keras", UNSCALED, _nested),
    ("logits", "tf_keras", ".h5", UNSCALED, _small(after=lambda keras, x: x)),
    (
        "one sigmoid",
        "tf_keras",
        ".keras",
        UNSCALED,
        _small(after=lambda keras, x: keras.layers.Activation("sigmoid")(x), classes=1),
    ),
    ("input of 48x80 pixels", "tf_keras", ".keras", UNSCALED, _small(shape=(48, 80, 3))),
    ("built for batches of 8", "tf_keras", ".keras", UNSCALED, _small(batch_size=8)),
    ("`Rescaling` and augmentation inside", "tf_keras", ".keras", _RAW, _small(_augmented)),
    ("`image / 127.5 - 1` inside", "tf_keras", ".h5", _RAW, _small(lambda _, x: x / 127.5 - 1)),
    ("MobileNet V2", "Keras 3", ".keras", UNSCALED, _network("MobileNetV2", alpha=0.35)),
    ("EfficientNet-B0", "Keras 3", ".keras", _RAW, _network("EfficientNetB0")),
    ("a network as a layer", "Keras 3", ".keras", UNSCALED, _nested),
    ("`Rescaling` and augmentation inside", "Keras 3", ".h5", _RAW, _small(_augmented)),
    ("two inputs", "tf_keras", ".keras", UNSCALED, _two_inputs),
    ("input of any size", "tf_keras", ".keras", UNSCALED, _small(shape=(None, None, 3))),
    (
        "one logit",
        "tf_keras",
        ".keras",
        UNSCALED,
        _small(after=lambda keras, x: x, classes=1),
    ),
    (
        "a `Lambda`",
        "Keras 3",
        ".keras",
        UNSCALED,
        _small(lambda keras, x: keras.layers.Lambda(lambda y: y * 2, name="twice")(x)),
    ),
)
