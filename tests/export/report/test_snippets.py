"""The code that readers copy from report and card does what the project does."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.images import read_image
from mobilenet_tf.deployment.report.snippets import expectation, inference_code, reproduce
from mobilenet_tf.runs.folder import RunFolder
from tests.export.report.made_up import DIGITS, finished, read
from tests.sources import ROOT


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [("uint8", 1 / 127.5, 128), ("int8", 1 / 127.5, 0), ("int8", 0.01, 3), ("float32", None, None)],
)
def test_the_program_prepares_the_input_as_the_project_does(
    tmp_path, monkeypatch, channels, dtype, scale, zero
):
    result = finished(DIGITS)
    shape = [1, 48, 48, channels]
    result["tflite"]["input"] = {"dtype": dtype, "shape": shape, "scale": scale, "zero_point": zero}
    code = inference_code(read(result), "model_int8.tflite").code
    compile(code, "program", "exec")
    noise = np.random.default_rng(0).integers(0, 256, (90, 131, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "picture.jpg")
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(code.split("model = ")[0], scope)
    input_spec = InputSpec(48, channels, crop=0.875)
    expected = read_image("picture.jpg", input_spec)[None].astype(np.float32)
    real = (expected - 128) / 127.5
    if scale:
        limits = np.iinfo(dtype)
        real = np.clip(np.rint(real / scale) + zero, limits.min, limits.max)
    assert scope["pixels"].dtype == dtype
    assert scope["pixels"].shape == tuple(shape)
    np.testing.assert_allclose(scope["pixels"], real, atol=1e-6)


def test_the_program_is_only_for_squares_cut_out_of_pictures():
    for field, value in (("fit", "pad"), ("resize", "bicubic"), ("white_level", 4095.0)):
        result = finished(DIGITS)
        result["model"]["input"][field] = value
        assert inference_code(read(result), "model_int8.tflite") is None


@pytest.fixture
def for_mediapipe():
    """The result of a run whose pictures were prepared as MediaPipe does it."""
    result = finished(DIGITS)
    result["model"]["input"] |= {"crop": 1.0, "fit": "stretch", "resize": "mediapipe"}
    return result


def test_a_file_for_mediapipe_runs_in_mediapipe(for_mediapipe):
    program = inference_code(read(for_mediapipe), "my.tflite")
    compile(program.code, "program", "exec")
    assert 'BaseOptions(model_asset_path="my.tflite")' in program.code
    assert "ImageClassifier.create_from_options" in program.code
    assert program.packages == "mediapipe numpy pillow"
    page = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    assert inference_code(read(for_mediapipe), "model_int8.tflite").code in page


def test_what_mediapipe_does_not_run_has_no_program(for_mediapipe):
    with_int8 = for_mediapipe["tflite"] | {
        "input": for_mediapipe["tflite"]["input"] | {"dtype": "int8"}
    }
    for changes in ({"task": "multilabel"}, {"tflite": with_int8}):
        assert inference_code(read(for_mediapipe | changes), "model_int8.tflite") is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"channels": 1}, "does not run it, because it takes grey pictures."),
        ({"channels": 3}, "prepares pictures in its own way; evaluate --as mediapipe measures"),
        (
            {"channels": 3, "crop": 1.0, "fit": "stretch", "resize": "mediapipe"},
            "prepares them so.",
        ),
    ],
)
def test_what_a_file_expects(changed, said):
    result = finished(DIGITS)
    assert expectation(read({"model": result["model"]})) is None
    result["model"]["input"] |= changed
    found = expectation(read(result))
    assert found.startswith("The file expects ")
    assert said in found


def test_a_run_is_repeated_from_its_configuration(tmp_path):
    run = RunFolder(tmp_path / "my signs; rm")
    run.path.mkdir()
    assert reproduce(read(finished(DIGITS)), run) is None
    run.config_file.write_text("")
    command = "mobilenet-tf run --config 'my signs; rm/config.toml'"
    assert reproduce(read(finished(DIGITS)), run) == command


def test_the_export_of_a_model_is_repeated_with_its_options(tmp_path):
    source = {"model": "my model.h5", "data": "/home/me/my photos; rm", "mean": 127.5, "std": 127.5}
    source |= {"io": "int8", "crop": 1.0, "seed": 3}
    result, run = finished(DIGITS), RunFolder(tmp_path)
    assert reproduce(read(result | {"source": source}), run) == (
        "mobilenet-tf export 'my model.h5' --data 'my photos; rm' --mean 127.5 --std 127.5 "
        "--io int8 --seed 3"
    )
    assert reproduce(read(result | {"source": source | {"crop": 0.5}}), run) is None
