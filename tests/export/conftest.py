"""Small real `.tflite` files, converted once per session, whose contents can be counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from mobilenet_tf.core.inputs import InputSpec

SIZE = 32
CLASSES = 5
NORMAL = InputSpec()


def residual_net(swish: bool = False):
    """Stem, inverted residual block and classifier; hard-swish after the stem if `swish`."""
    import tf_keras as keras

    layers = keras.layers
    keras.utils.set_random_seed(3)
    options = {"bias_initializer": "random_uniform"}
    picture = keras.Input((SIZE, SIZE, 3), batch_size=1)
    stem = layers.Conv2D(8, 3, 2, "same", name="stem", **options)(picture)
    stem = stem * layers.ReLU(6.0)(stem + 3.0) * (1 / 6) if swish else layers.ReLU(6.0)(stem)
    x = layers.Conv2D(24, 1, activation="relu", name="expand", **options)(stem)
    x = layers.DepthwiseConv2D(
        3, 1, "same", activation="relu", name="depthwise", depthwise_initializer="he_uniform",
        **options,
    )(x)  # fmt: skip
    x = layers.Conv2D(8, 1, name="project", **options)(x)
    x = layers.GlobalAveragePooling2D()(layers.Add()([stem, x]))
    x = layers.Dense(CLASSES, name="logits", **options)(x)
    return keras.Model(picture, layers.Softmax()(x))


def representative():
    """Yield images whose range is exactly that of pixels: scale 1 / std, zero point 0."""
    random = np.random.default_rng(0)
    for _ in range(8):
        pixels = random.integers(0, 256, (1, SIZE, SIZE, 3))
        pixels[0, 0, 0] = 0, 255, 128
        yield [((pixels - NORMAL.mean) / NORMAL.std).astype(np.float32)]


def convert(model, kind: str) -> bytes:
    """Convert to `kind`: float32, float16, or the dtype of input and output of a full-int8 file."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if "int8" in kind:
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(kind)
    return converter.convert()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Paths: float32, float16, int8, uint8 (input and output types), swish (int8, HARD_SWISH)."""
    folder = tmp_path_factory.mktemp("tflite")
    net, swish = residual_net(), residual_net(swish=True)
    paths = {}
    for name, model, kind in (
        ("float32", net, "float32"),
        ("float16", net, "float16"),
        ("int8", net, "int8"),
        ("uint8", net, "uint8"),
        ("swish", swish, "int8"),
    ):
        paths[name] = folder / f"{name}.tflite"
        paths[name].write_bytes(convert(model, kind))
    return SimpleNamespace(**paths)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Store measurements for this session only, apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def to_float():
    """Return a function from a Keras model to the bytes of its float32 `.tflite`."""
    return lambda model: convert(model, "float32")


@pytest.fixture
def pixels():
    """Return five random pictures: uint8 (5, SIZE, SIZE, 3)."""
    return np.random.default_rng(1).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def converted():
    """(network, fused) -> the int8 file of that network: built, quantized and converted.

    Weights are random and batch normalization is as if trained, so that no two biases are equal.
    Ranges are calibrated on real digits.
    """
    from dataclasses import replace

    import tf_keras as keras

    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.deployment.tflite.convert import convert as convert_qat
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.zoo import make_network

    keras.utils.set_random_seed(0)  # some random weights let no signal through
    random, found = np.random.default_rng(0), {}
    v3 = make_network("v3_small", 0.35, 64, 3, 1)
    for network, fused in (
        (make_network("v1", 0.25, 96, 2), True),
        # The first rows have everything: squeeze-excite, hard-swish, a shortcut; converts faster.
        (replace(v3, backbone=(*v3.backbone[:6], v3.backbone[-1])), False),
    ):
        model = build_network(network)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                shapes = [weight.shape for weight in layer.get_weights()]
                layer.set_weights([random.uniform(0.7, 1.3, shape) for shape in shapes])
        pictures = calibration_images(load_data("digits", network.input).train, network, 32, 0)
        deployed = deploy_form(model, fuse_hard_swish=fused)
        quantized = quantize_aware(deployed, pictures, network.input)
        found[network, fused] = convert_qat(quantized, io="int8")
    return found
