"""What a reader copies from report and card does what the project does."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.datasets.images import read_picture
from mobilenet_tf.deployment.report.snippets import feeding, reproduce
from tests.export.report.test_report import DIGITS, figures


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [("uint8", 1 / 127.5, 128), ("int8", 1 / 127.5, 0), ("int8", 0.01, 3), ("float32", None, None)],
)
def test_the_fragment_feeds_what_the_project_feeds(
    tmp_path, monkeypatch, channels, dtype, scale, zero
):
    result = figures(DIGITS)
    shape = [1, 48, 48, channels]
    result["tflite"]["input"] = {"dtype": dtype, "shape": shape, "scale": scale, "zero_point": zero}
    _, code = feeding(result, "model_int8.tflite")
    compile(code, "fragment", "exec")
    noise = np.random.default_rng(0).integers(0, 256, (90, 131, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "picture.jpg")
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(code.split("model = ")[0], scope)
    expected = read_picture("picture.jpg", 48, channels, 0.875)[None].astype(np.float32)
    real = (expected - 128) / 127.5
    if scale:
        limits = np.iinfo(dtype)
        real = np.clip(np.rint(real / scale) + zero, limits.min, limits.max)
    assert scope["pixels"].dtype == dtype
    assert scope["pixels"].shape == tuple(shape)
    np.testing.assert_allclose(scope["pixels"], real, atol=1e-6)


def test_the_command_quotes_what_a_shell_would_take():
    result = figures(DIGITS)
    result["data"]["source"] = "my photos; rm"
    settings = {"weights": "imagenet", "recipe": {"batch": 16}}
    command = reproduce(result, settings)
    assert "--data 'my photos; rm'" in command
    assert "--batch 16 --weights imagenet" in command
