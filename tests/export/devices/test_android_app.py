"""Models and golden vectors for the Android demo."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.devices import android_app as android
from mobilenet_tf.deployment.devices.android_app import DEMO, RUNTIME, golden_vectors, install
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata, read_metadata
from mobilenet_tf.tasks.registry import TASKS

ASSETS = DEMO / "app/src/main/assets"


@pytest.fixture(scope="session")
def vectors():
    """android_demo/vectors.py, which is a script."""
    spec = importlib.util.spec_from_file_location("vectors", DEMO / "vectors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(files, tmp_path):
    path = tmp_path / "Five Fruits.tflite"
    path.write_bytes(
        add_metadata(
            files.uint8.read_bytes(),
            name="fruit",
            description="five fruits",
            labels=list("abcde"),
            input_spec=InputSpec(crop=0.875),
        )
    )
    return path


@pytest.fixture
def demo(tmp_path):
    """An Android project, as far as the command looks."""
    demo = tmp_path / "demo"
    demo.mkdir()
    (demo / "settings.gradle.kts").touch()
    return demo


def test_a_model_and_what_it_should_give(model, demo):
    result = install(model, demo=demo)
    copy = demo / "app/src/main/assets/five_fruits.tflite"
    assert result["model"] == str(copy)
    assert copy.read_bytes() == model.read_bytes()
    pictures = json.loads(Path(result["golden"]).read_text())["pictures"]
    assert len(pictures) == result["pictures"] == 8
    assert len({(one["width"], one["height"]) for one in pictures}) > 3
    runtime = TFLiteModel(copy)
    for one in pictures:
        pixels = np.frombuffer(bytes.fromhex(one["rgb"]), np.uint8)
        image = android.Image.fromarray(pixels.reshape(one["height"], one["width"], 3))
        scores = runtime.run_raw(prepare(image, InputSpec(32, crop=0.875))[None])[0]
        assert one["outputs"] == [scores.tobytes().hex()]


def test_a_run_folder(model, demo, tmp_path):
    from mobilenet_tf.commands.android import android as command

    run = tmp_path / "Digits 1"
    run.mkdir()
    (run / "config.toml").touch()
    with pytest.raises(UserError, match="has no model_int8"):
        command(run, demo=demo)
    (run / "model_int8.tflite").write_bytes(model.read_bytes())
    assert command(run, demo=demo)["model"].endswith("/digits_1.tflite")
    assert command(run, name="other", demo=demo)["model"].endswith("/other.tflite")


def test_another_resize_than_the_app_s_is_refused(model, demo, files):
    model.write_bytes(
        add_metadata(
            files.uint8.read_bytes(), name="x", description="x", labels=list("abcde"),
            input_spec=InputSpec(resize="bicubic"),
        )
    )  # fmt: skip
    with pytest.raises(UserError, match="has resize 'bicubic'; the app has only bilinear"):
        install(model, demo=demo)
    assert not (demo / "app").exists()


def test_the_app_refuses_it_too():
    """Every name that training knows stands in the app's code."""
    core = DEMO / "core/src/main/kotlin/mobilenet/tf/core"
    source = (core / "ModelFile.kt").read_text()
    others = re.search(r"OTHER_FILTERS = listOf\((.*?)\)", source)[1]
    assert set(re.findall(r'"(\w+)"', others)) == {*RESIZES} - {*android.RESIZES}
    filters = re.search(r"enum class Filter \{(.*?)\}", (core / "Resize.kt").read_text())[1]
    assert tuple(filters.lower().replace(",", "").split()) == android.RESIZES
    fits = re.search(r"enum class Fit \{(.*?)\}", (core / "Placement.kt").read_text())[1]
    assert tuple(fits.lower().replace(",", "").split()) == FITS


def test_the_app_and_the_page_know_every_task():
    tasks = (DEMO / "core/src/main/kotlin/mobilenet/tf/tasks/Tasks.kt").read_text()
    default = re.search(r'DEFAULT = "(\w+)"', tasks)[1]
    assert {default, *re.findall(r'"(\w+)" to', tasks)} == set(TASKS)
    page = (DEMO.parent / "export/devices/web/page/tasks.js").read_text()
    listed = re.search(r"const TASKS = \{(.*?)\n\};", page, re.DOTALL)[1]
    default = re.search(r'DEFAULT = "(\w+)"', page)[1]
    assert {default, *re.findall(r"^  (\w+)[,:]", listed, re.MULTILINE)} == set(TASKS)


def test_a_newer_runtime_is_refused(model, demo, monkeypatch):
    monkeypatch.setattr(android, "RUNTIME", "1.4.9")
    with pytest.raises(UserError, match=r"needs runtime 1\.\d+\.\d+, and the app has 1\.4\.9"):
        install(model, demo=demo)
    assert not (demo / "app").exists()


@pytest.mark.parametrize(
    ("older", "newer"), [("1.9.0", "1.14.0"), ("1.15.0", "2.16.1"), ("unknown", "1.5.0")]
)
def test_versions_are_numbers(older, newer):
    assert android._version(older) < android._version(newer)


@pytest.mark.parametrize("name", ["Ä", "a b", "", "../a", ".a"])
def test_names_that_assets_cannot_have(model, demo, name):
    with pytest.raises(UserError, match="name is"):
        install(model, name, demo)


def test_no_project(model, tmp_path):
    with pytest.raises(UserError, match="is not an Android project"):
        install(model, demo=tmp_path)


def test_command_line(model, demo):
    from mobilenet_tf.cli.app import app

    run = CliRunner().invoke(app, ["android", str(model), "--demo", str(demo), "--json"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout)["runtime"] == RUNTIME
    run = CliRunner().invoke(app, ["android", str(model), "--demo", str(demo)])
    assert run.stdout.endswith("&& ./gradlew installDebug\n")


def test_the_app_has_the_runtime_that_is_promised():
    assert f"<tflite.version>{RUNTIME}</tflite.version>" in (DEMO / "pom.xml").read_text()
    catalog = (DEMO / "gradle/libs.versions.toml").read_text()
    assert re.search(r'^litert = "1\.4\.\d+"$', catalog, re.MULTILINE)


def test_the_shipped_model_comes_with_its_scores():
    model = TFLiteModel(ASSETS / "digits.tflite")
    assert model.input.shape == (1, 32, 32, 1)
    assert read_metadata((ASSETS / "digits.tflite").read_bytes()).labels == tuple("0123456789")
    shipped = json.loads((ASSETS / "digits.golden.json").read_text())
    for one, again in zip(shipped["pictures"], golden_vectors(model)["pictures"], strict=True):
        assert one["rgb"] == again["rgb"]
        assert one["outputs"] == again["outputs"]


def test_golden_vectors_are_what_python_does_today(vectors, tmp_path):
    """The Kotlin tests read the committed files; a change of preprocessing must reach them."""
    vectors.write_golden(tmp_path)
    cases = json.loads((tmp_path / "cases.json").read_text())
    assert len(cases) >= 20
    committed = {path.name for path in vectors.GOLDEN.iterdir()}
    assert committed == {path.name for path in tmp_path.iterdir()}
    for name in committed - {f"{photo}.png" for photo in vectors.PHOTOS}:
        assert (vectors.GOLDEN / name).read_bytes() == (tmp_path / name).read_bytes(), name
    for photo in vectors.PHOTOS:
        # Pixels, not files: zlib may pack them otherwise.
        one, again = (android.Image.open(f / f"{photo}.png") for f in (vectors.GOLDEN, tmp_path))
        assert one.tobytes() == again.tobytes()


def test_frames_are_converted_as_jpeg_is(vectors):
    """The integers of `frame_rgb` against Pillow's own conversion, which has fewer bits."""
    y, u, v = vectors.frame(64, 48, 0)
    whole = [plane.repeat(2, 0).repeat(2, 1) for plane in (u, v)]
    expected = android.Image.merge("YCbCr", [android.Image.fromarray(p) for p in (y, *whole)])
    found = np.asarray(vectors.frame_rgb(y, u, v)).astype(int)
    assert np.abs(found - np.asarray(expected.convert("RGB"))).max() <= 1


def test_another_run_s_model_is_not_replaced(model, demo, tmp_path, files):
    """Two names that become one: the second needs a name of its own."""
    from mobilenet_tf.commands.android import android as command

    other = files.int8.read_bytes()
    for one, two, asset in (("Digits V2", "digits_v2", "digits_v2"), ("数字", "手写", "model")):
        for name, content in ((one, model.read_bytes()), (two, other)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "config.toml").touch()
            (tmp_path / name / "model_int8.tflite").write_bytes(content)
        copy = Path(command(tmp_path / one, demo=demo)["model"])
        assert copy.name == f"{asset}.tflite"
        with pytest.raises(UserError, match=f"is another model; .* with --name {asset}"):
            command(tmp_path / two, demo=demo)
        assert copy.read_bytes() == model.read_bytes()
        # The same run may be installed again, and a name that is given is meant.
        (tmp_path / one / "model_int8.tflite").write_bytes(other)
        command(tmp_path / one, demo=demo)
        assert copy.read_bytes() == other
        command(tmp_path / two, name=asset, demo=demo)
