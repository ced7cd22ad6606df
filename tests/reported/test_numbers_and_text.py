"""Numbers without bounds, text in other encodings, and what the terminal shows."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.reported import flat
from tests.reported.drive import ROOT, at_work, call, call_apart, refused, succeeded
from tests.reported.models import describe, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported hostile")]

GIGABYTE = 2**30
TWO = ("--algorithm", "random", "--trials", "2")
LABELS = ("röd", "grün", "blå", "猫")


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("file") / "f.tflite", describe(flat.dense(), LABELS))


# Numbers.


@pytest.mark.parametrize(
    "command",
    [
        "train --seed 4294967296",
        "train --alpha 1e308",
        "train --set train.weight_decay=inf",
        "train --epochs 10000000000000",
        "summary v1 --alpha 1e308",
        "summary v1 --classes 1000000000000000",
        "tune --seed 4294967296",
        "tune --trials 10000000000000",
        "benchmark FILE --rounds 1000000000000",
    ],
)
def test_numbers_without_bounds_are_refused(command, file, tmp_path):
    words = [str(file) if word == "FILE" else word for word in command.split()]
    refused(call(*words, cwd=tmp_path, seconds=120))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "values", [("inf", "1"), ("1e39", "1"), ("0", "1e308"), ("0", "1e-40")], ids=str
)
def test_a_normalisation_that_is_no_number_is_refused(values, tmp_path):
    import tf_keras as keras

    image = keras.Input((32, 32, 1))
    scores = keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(image))
    keras.Model(image, scores).save(tmp_path / "model.keras")
    mean, std = values
    options = ("--data", "digits", "--mean", mean, "--std", std, "--out", tmp_path / "out")
    refused(call_apart("export", tmp_path / "model.keras", *options), "it must be")


@pytest.mark.parametrize("command", ["benchmark", "choose"])
def test_too_many_threads_are_refused(command, file):
    words = ["benchmark", file] if command == "benchmark" else ["choose"]
    refused(call_apart(*words, "--threads", "100000", limit=8 * GIGABYTE), "threads")


def test_a_batch_that_only_repeats_the_pictures_is_refused(photos, tmp_path):
    options = ("--data", photos, "--size", "32", "--epochs", "1", "--batch", "100000")
    done = call_apart("train", *options, "--out", tmp_path / "out", limit=12 * GIGABYTE)
    refused(done, "batch is 100000")


@pytest.mark.parametrize("option", ["--max-macs", "--max-flash", "--max-ram"])
def test_a_limit_below_one_is_no_limit_of_zero(option):
    refused(call("choose", "--device", "mcu", option, "0.1", seconds=120), f"{option} is '0.1'")


def test_sizes_lose_no_byte(tmp_path):
    space = b'model = ["v1"]\nalpha = [0.25]\nsize = [32]\nbatch = [8, 16]\n'
    write(tmp_path / "space.toml", space)
    done = call(
        "tune", "--space", tmp_path / "space.toml", "--max-macs", "65.1K", *TWO, cwd=tmp_path
    )
    assert "65,100" in refused(done)


@pytest.mark.parametrize("what", ["picture", "model", "data", "out", "recipe", "weights"])
def test_names_that_are_too_long_are_refused(what, file, square, tmp_path):
    name = tmp_path / ("n" * 250 + ".png")
    command = {
        "picture": ["predict", file, f"{name}{'g' * 50}"],
        "model": ["inspect", f"{name}{'g' * 50}"],
        "data": ["train", "--data", f"{name}{'g' * 50}"],
        "out": ["train", "--out", f"{name}{'g' * 50}"],
        "recipe": ["train", "--recipe", f"{name}{'g' * 50}"],
        "weights": ["train", "--weights", f"{name}{'g' * 50}"],
    }[what]
    refused(call(*command, cwd=tmp_path))


# Options that would not be heard.


@pytest.mark.parametrize(
    "command",
    [
        "choose --epochs 3 --max-macs 5M --device mcu",
        "choose --out trials --max-macs 5M --device mcu",
        "export RUN --seed 3",
        "export RUN --mean 3",
        "export RUN --max-flash 1MB",
        "export RUN --target npu --io int8",
    ],
)
def test_options_that_would_not_be_heard_are_refused(command, tmp_path):
    run = shutil.copytree(ROOT / "tests/runs/fixtures/run_v1", tmp_path / "run")
    words = [str(run) if word == "RUN" else word for word in command.split()]
    option = next(word for word in words if word.startswith("--") and word != "--target")
    refused(call(*words, cwd=tmp_path, seconds=120), option)


# Text files.


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_recipes_and_spaces_in_other_encodings(encoding, tmp_path):
    recipe = write(tmp_path / "recipe.toml", "name = 'é'\nbatch = 8\n".encode(encoding))
    refused(call("train", "--recipe", recipe), "recipe.toml is incomplete")  # so it was read
    text = 'model = ["v1"]\nalpha = [0.25]\nsize = [32]\nbatch = [8, 16]\n'
    space = write(tmp_path / "space.toml", text.encode(encoding))
    refused(call("tune", "--space", space, "--max-macs", "1K", *TWO), "No network of the space")


@pytest.mark.parametrize("content", ["name = 'é'".encode("latin-1"), b"\0" * 50], ids=ascii)
def test_text_in_unknown_encodings_is_one_sentence(content, tmp_path):
    recipe = write(tmp_path / "recipe.toml", content)
    refused(call("train", "--recipe", recipe, "--data", "nowhere"), "recipe.toml")


# Pictures with much beside the pixels.


@pytest.mark.parametrize("kind", ["text", "compressed text", "profile"])
def test_a_large_chunk_of_a_png_is_no_damage(kind, file, tmp_path):
    picture, notes = Image.new("RGB", (32, 32), (220, 20, 20)), PngInfo()
    options = {}
    if kind == "profile":
        options["icc_profile"] = os.urandom(3 * 2**20)
    else:
        notes.add_text("Comment", "x" * (3 * 2**20), zip=kind.startswith("compressed"))
    picture.save(tmp_path / "notes.png", pnginfo=notes, **options)
    succeeded(call("predict", file, tmp_path / "notes.png"))


# The terminal.


def test_a_code_page_that_lacks_a_character_ends_nothing(file, square):
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = succeeded(call_apart("predict", file, square, "--top", "4", env=plain))
    assert "bl" in done.out


def test_a_narrow_terminal_shows_every_digit(file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    out = succeeded(call("inspect", file)).out
    assert f"{file.stat().st_size:,} bytes" in out
    out = succeeded(call_apart("summary")).out
    assert "5,507,432" in out  # parameters of the large V3


def test_output_does_not_need_standard_error(file, square):
    command = [sys.executable, "-m", "mobilenet_tf", "predict", str(file), str(square), "--json"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    closed = ["bash", "-c", 'exec "$@" 2>&-', "bash", *command]
    done = subprocess.run(closed, stdout=subprocess.PIPE, env=env, check=False)
    assert done.returncode == 0
    assert b"predictions" in done.stdout


def test_an_interrupted_run_says_how_it_continues(tmp_path):
    command = ("train", "--epochs", "4000", "--out", tmp_path / "out")
    checkpoint = tmp_path / "out" / "checkpoints" / "float.npz"
    with at_work(*command, until=checkpoint.exists) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"--resume" in err.splitlines()[-1]
    assert checkpoint.exists()
