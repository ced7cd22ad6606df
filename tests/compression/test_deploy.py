import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.compression.deploy import ShiftedReLU6, deploy_form
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import same_padding
from mobilenet_tf.networks.keras_model import HardSigmoid, HardSwish, build_network
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.conftest import LARGE
from tests.short import shallow, without_repeats
from tests.slow import USUAL, slow_but


def stir(model) -> None:
    """Set statistics and scales that all differ without amplifying the rounding of floats."""
    random = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.gamma.shape[0]
            gamma, beta = random.uniform(0.7, 1.3, count), random.normal(0, 0.3, count)
            layer.set_weights([gamma, beta, random.normal(0, 0.3, count), gamma[::-1] ** 2])


def relative(found, expected) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def require_deploy_form(model, fuse: bool) -> None:
    """Check that it has the model's logits: a softmax would hide differences."""
    deployed = deploy_form(model, fuse)
    shape = (4, *model.input_shape[1:])
    images = np.random.default_rng(1).uniform(-1, 1, shape).astype("float32")
    logits = [keras.Model(m.input, m.layers[-1].input) for m in (model, deployed)]
    expected, found = (part(images).numpy() for part in logits)
    assert relative(found, expected) < 1e-5
    if not fuse:
        require_plain(deployed, model)


# With hard-swish as two operations and as one.
FORMS = [
    (name, fuse) for name in ZOO for fuse in ((False, True) if name.startswith("v3") else (False,))
]


@pytest.mark.parametrize(("name", "fuse"), slow_but(USUAL, FORMS))
def test_deploy_form_is_the_same_function(name, fuse):
    model = build_network(without_repeats(make_network(name, 0.35, 48, classes=7)))
    stir(model)
    require_deploy_form(model, fuse)


@pytest.mark.parametrize(("name", "fuse"), slow_but(USUAL, FORMS))
@pytest.mark.parametrize(("alpha", "size", "channels"), [(0.75, 33, 1), (1.3, 64, 3)])
def test_odd_maps_grey_pictures_and_wide_networks(name, fuse, alpha, size, channels):
    # Large networks stay narrow.
    network = make_network(name, 0.35 if name in LARGE else alpha, size, 7, channels)
    model = build_network(shallow(network))
    stir(model)
    require_deploy_form(model, fuse)


def require_plain(deployed, model) -> None:
    """Check that only layers with an integer form remain."""
    kinds = {type(layer) for layer in deployed.layers}
    assert not kinds & {HardSwish, HardSigmoid, keras.layers.BatchNormalization}
    assert keras.layers.Dropout not in kinds
    gates = sum(isinstance(layer, ShiftedReLU6) for layer in deployed.layers)
    assert gates == sum(isinstance(layer, HardSwish) for layer in model.layers)


@pytest.mark.parametrize("name", ["v1", "v3_large"])
@pytest.mark.parametrize("pooling", [None, "avg"])
def test_backbone_keeps_its_scale(name, pooling):
    """V3's features end in a hard-swish; no kernel follows that could carry its factor 6."""
    model = build(name, 0.5, 40, include_top=False, pooling=pooling)
    images = np.random.default_rng(1).uniform(-1, 1, (2, 40, 40, 3)).astype("float32")
    assert relative(deploy_form(model)(images), model(images)) < 1e-5


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
def test_even_maps_need_no_padding_of_their_own(name):
    deployed = deploy_form(build_network(shallow(make_network(name, 0.35, 32, classes=3))))
    assert not any(isinstance(x, keras.layers.ZeroPadding2D) for x in deployed.layers)


def test_odd_v1_keeps_the_padding_that_is_not_same():
    """Keras's V1 pads below and right only, which differs from "same" on odd maps."""
    deployed = deploy_form(build("v1", 0.25, 35, classes=3))
    assert any(isinstance(x, keras.layers.ZeroPadding2D) for x in deployed.layers)


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_is_what_keras_adds(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    image = keras.Input((size, size, 1))
    same = keras.layers.Conv2D(1, kernel, stride, "same", name="a")
    valid = keras.layers.Conv2D(1, kernel, stride, name="b")
    padded = keras.layers.ZeroPadding2D(((before, after), (before, after)))(image)
    model = keras.Model(image, [same(image), valid(padded)])
    valid.set_weights(same.get_weights())
    pixels = np.random.default_rng(0).normal(size=(1, size, size, 1)).astype("float32")
    left, right = model(pixels)
    np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_a_layer_without_integer_form_is_named():
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, keras.layers.LayerNormalization(name="odd_one")(image))
    with pytest.raises(UserError, match="odd_one is a LayerNormalization"):
        deploy_form(model)
