"""SqueezeNet's joined branches and its pooling, whose padding depends on the size."""

import numpy as np
import pytest

from mobilenet_tf.compression.calibration import calibrate
from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.tflite.convert import convert
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.graph import ceil_padding
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Convolution, Network
from mobilenet_tf.networks.squeezenet import Fire, MapClassifier, MaxPooling
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from tests.conftest import enliven

# 48 x 34 pixels: 23 x 16 after the stem, so that the pooling is padded along one axis only.
NETWORK = Network(
    InputSpec((48, 34)),
    (
        Convolution("stem", 3, 8, "relu", 2, padded=False, norm=False),
        MaxPooling(3, 2),
        Fire(4, 8, "relu"),
        Fire(8, 16, "relu6"),
    ),
    (MapClassifier(5),),
    name="fires",
)


@pytest.fixture(scope="module")
def deployed(pictures):
    model = build_network(NETWORK)
    enliven(model, NETWORK.input.normalise(pictures[:, :, :34]))
    return deploy_form(model)


def test_pooling_rounds_up_as_in_caffe():
    assert [ceil_padding(size, 3, 2) for size in (109, 54, 27, 4)] == [
        (0, 0),
        (0, 1),
        (0, 0),
        (0, 1),
    ]
    for name, sides in (
        ("squeezenet_1_0", [109, 54, 27, 13]),
        ("squeezenet_1_1", [111, 55, 27, 13]),
    ):
        graph = lower(make_network(name))
        assert sorted({op.shape[0] for op in graph} - {224, 1}, reverse=True) == sides


def test_branches_have_one_range(deployed, pictures):
    ranges = calibrate(deployed, NETWORK.input.normalise(pictures[:, :, :34]))
    for block in ("block_2", "block_3"):
        left, right = (ranges[f"{block}/expand_{k}x{k}/activation"] for k in (1, 3))
        assert left == right
    own = [ranges[f"block_{n}/squeeze/activation"] for n in (2, 3)]
    assert own[0] != own[1]


def test_the_file_computes_what_qat_computes(deployed, pictures):
    pixels = pictures[:, :, :34]
    images = NETWORK.input.normalise(pixels)
    qat = quantize_aware(deployed, images, NETWORK.input)
    content = convert(qat)
    facts, made = inspect(content), inspect(int8_file(NETWORK))
    assert facts["delegate"]["partitions"] == 1
    assert facts["float_tensors"] == 0
    assert facts["ops"]["PAD"]["count"] == made["ops"]["PAD"]["count"] == 1
    assert {**made["ops"], "QUANTIZE": facts["ops"]["QUANTIZE"]} == facts["ops"]
    file = TFLiteModel(content)
    agreement = parity(Classification(), file.scores, qat(images).numpy(), file.run_raw(pixels))
    assert agreement["within_1_lsb"] >= 0.995
    assert np.std(file.run_raw(pixels)) > 5
