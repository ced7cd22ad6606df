"""MediaPipe's real ImageClassifier sees what `resize = "mediapipe"` says, and decides the same.

MediaPipe's packages do not go with the project's, so it runs in build/mediapipe, which
`make test-mediapipe` creates.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.environments import interpreter, outputs_of
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.front_ends import MEDIAPIPE
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.images import open_image, prepare, read_image
from mobilenet_tf.deployment.report.snippets import inference_code
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.echo import echo
from tests.export.report.made_up import DIGITS, finished, read

pytestmark = pytest.mark.skipif(
    not interpreter("mediapipe").is_file(), reason="make test-mediapipe installs MediaPipe"
)
SHARED = Path(__file__).resolve().parents[4] / "shared"


@pytest.mark.parametrize("size", [(32, 32), (20, 12), (96, 96)])
def test_it_fills_the_input_byte_for_byte(size):
    """A file whose scores are its pixels shows what it is given."""
    random = np.random.default_rng(0)
    sides = [(48, 64), (61, 47), (7, 5), (1, 1), (2, 3), (480, 641), (120, 31), (1000, 777)]
    pictures = [random.integers(0, 256, (*one, 3), np.uint8) for one in sides]
    spec = MEDIAPIPE.prepares(InputSpec(size))
    found = outputs_of("mediapipe", echo(spec), pictures)["outputs"] * 256
    expected = [prepare(Image.fromarray(one), spec).reshape(-1) for one in pictures]
    np.testing.assert_array_equal(found.round(), expected)


@pytest.fixture(scope="module")
def photos():
    """The test pictures of clothing, upright, as Pillow's images."""
    folder = SHARED / "data" / "clothing" / "test"
    if not folder.is_dir():
        pytest.skip("shared/data/clothing is not beside the repository")
    return [open_image(path) for path in sorted(folder.glob("*/*.jpg"))]


@pytest.fixture(scope="module")
def classifier(photos):
    """MobileNet v1 of ImageNet as a file of uint8 pixels, quantized after training."""
    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.networks.keras_model import build
    from mobilenet_tf.networks.published.weights import load_weights

    weights = SHARED / "weights" / "mobilenet_v1_0.25_128.h5"
    if not weights.is_file():
        pytest.skip("shared/weights is not beside the repository")
    spec = MEDIAPIPE.prepares(InputSpec(128))
    model = build("v1", 0.25, 128)
    load_weights(model, weights)
    calibration = spec.normalise(np.stack([prepare(one, spec) for one in photos[::12]]))
    content = convert(quantize_aware(deploy_form(model), calibration, spec), "uint8")
    labels = [f"class {number}" for number in range(1000)]
    return add_metadata(content, name="v1", description="v1", labels=labels, input_spec=spec)


def test_it_decides_the_same(photos, classifier):
    """The first class on at least 99 % of the pictures; with the centred square, on far fewer."""
    found = outputs_of("mediapipe", classifier, map(np.asarray, photos))["outputs"]
    model = TFLiteModel(classifier)
    agreed = {}
    for spec in (MEDIAPIPE.prepares(InputSpec(128)), InputSpec(128)):
        scores = model.run(np.stack([prepare(one, spec) for one in photos]))
        first = found[np.arange(len(photos)), scores.argmax(axis=1)]
        agreed[spec.resize] = (first == found.max(axis=1)).mean()
    assert agreed["mediapipe"] >= 0.99
    assert agreed["bilinear"] < 0.9


@pytest.mark.parametrize(
    ("channels", "uint8", "said"), [(1, True, "Only RGB"), (3, False, "Type mismatch for input")]
)
def test_what_it_refuses(channels, uint8, said):
    """Grey inputs, as `FrontEnd.prepares` does, and int8."""
    network = make_network("v1", 0.25, 32, 3, channels=channels)
    content = int8_file(network)
    content = add_metadata(
        with_uint8_ends(content) if uint8 else content, name="x", description="x", labels="abc",
        input_spec=network.input,
    )  # fmt: skip
    with pytest.raises(UserError, match=said):
        outputs_of("mediapipe", content, [np.zeros((40, 40, 3), np.uint8)])


def test_the_program_of_the_card_shows_the_first_classes(photos, classifier, tmp_path):
    result = finished(DIGITS)
    result["model"]["input"] |= {"crop": 1.0, "fit": "stretch", "resize": "mediapipe"}
    program = inference_code(read(result), "v1.tflite")
    (tmp_path / "v1.tflite").write_bytes(classifier)
    photos[0].save(tmp_path / "picture.jpg", quality=100, subsampling=0)
    command = [str(interpreter("mediapipe")), "-c", program.code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    shown = [line.rpartition(" ")[0] for line in done.stdout.splitlines()]
    picture = read_image(tmp_path / "picture.jpg", MEDIAPIPE.prepares(InputSpec(128)))
    scores = TFLiteModel(classifier).run(picture[None])[0]
    assert len(shown) == 3
    assert shown[0] == f"class {scores.argmax()}"
