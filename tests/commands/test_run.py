"""The whole path on scikit-learn's digits, killed twice on the way, and every command on it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.absent import WITHOUT_EXTRAS
from tests.killing import assert_same_weights, command, kill_when

pytestmark = pytest.mark.xdist_group("run")

RUN = ("run", "--model", "v1", "--alpha", "0.25", "--epochs", "20", "--qat-epochs", "2",
       "--deterministic")  # fmt: skip


def call(*arguments, code=0, **options) -> subprocess.CompletedProcess:
    result = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, **options
    )
    assert result.returncode == code, result.stderr
    return result


def as_json(*arguments) -> dict:
    return json.loads(call(*arguments, "--json").stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run, killed after an epoch, within one, and in quantization-aware training."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    words = command(*RUN, "--out", folder, "--resume")
    for stage, epochs, wait in (("float", 3, 0.0), ("float", 6, 0.4), ("qat", 1, 0.2)):
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            kill_when(process, epochs, folder / "checkpoints" / f"{stage}.npz", wait)
        assert not (folder / "result.json").read_text().count('accuracy": {')
    call(*RUN, "--out", folder, "--resume")
    return folder


@pytest.fixture(scope="module")
def result(run) -> dict:
    return json.loads((run / "result.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Forty digits as PNG files in class folders, and a file that is none."""
    from sklearn.datasets import load_digits

    root = tmp_path_factory.mktemp("pictures")
    digits = load_digits()
    for index, (image, label) in enumerate(zip(digits.images[:40], digits.target, strict=False)):
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray((image * 255 / 16).astype(np.uint8)).save(root / f"{label}/{index}.png")
    (root / "0" / "notes.png").write_text("no picture")
    return root


def test_result_holds_every_figure(result):
    assert result["model"] | {"parameters": 0, "macs": 0, "peak_activation_bytes": 0} == {
        "name": "v1", "alpha": 0.25, "classes": 10, "parameters": 0, "macs": 0,
        "peak_activation_bytes": 0,
        "input": {"size": 32, "channels": 1, "mean": 128.0, "std": 127.5, "crop": 1.0,
                  "fit": "crop", "resize": "bilinear"},
    }  # fmt: skip
    data = result["data"]
    assert data["train"] + data["validation"] + data["test"] == 1797
    assert data["classes"] == list("0123456789")
    assert set(result["accuracy"]) == {"float", "qat", "int8", "ptq_int8"}
    assert result["tflite"]["float_tensors"] == 0
    assert result["tflite"]["input"]["dtype"] == "uint8"
    assert set(result["seconds"]) >= {"train", "quantize", "export", "verify"}
    assert result["seed"] == 0
    assert "tensorflow" in result["versions"]


def test_resumed_training_has_every_epoch_once(run, result):
    for stage, epochs in (("float", 20), ("qat", 2)):
        assert len(result["history"][stage]["loss"]) == epochs
        rows = (run / "logs" / f"{stage}.csv").read_text().splitlines()
        assert [row.split(",")[0] for row in rows] == ["epoch", *map(str, range(1, epochs + 1))]


@pytest.mark.slow
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(run, result, tmp_path):
    call(*RUN, "--out", tmp_path / "whole")
    assert_same_weights(run, tmp_path / "whole")
    whole = json.loads((tmp_path / "whole" / "result.json").read_text())
    assert whole["accuracy"] == result["accuracy"]
    assert not list(run.rglob(".partial-*"))


@pytest.mark.long
def test_ten_kills_at_random_moments(run, tmp_path):
    """From the first imports on. What stands after each of them is whole, and so is the end."""
    folder, random = tmp_path / "run", np.random.default_rng(0)
    words = [sys.executable, "-m", "mobilenet_tf", *RUN, "--out", str(folder), "--resume"]
    for _ in range(10):
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(1, 14))
            process.kill()
        assert process.returncode in (0, -signal.SIGKILL)
        for checkpoint in folder.glob("checkpoints/*.npz"):
            with np.load(checkpoint) as file:
                assert all(file[name].dtype for name in file.files)
        for path in folder.glob("result.json"):
            json.loads(path.read_text())
        for path in folder.glob("*.keras"):
            assert zipfile.ZipFile(path).testzip() is None
    call(*RUN, "--out", folder, "--resume")
    assert_same_weights(run, folder)
    assert not list(folder.rglob(".partial-*"))


def test_int8_is_as_good_as_float(result):
    accuracy = result["accuracy"]
    assert accuracy["float"] >= 0.85
    assert accuracy["int8"] >= accuracy["float"] - 0.02
    # What QAT says of itself is what its file does.
    assert accuracy["int8"] == accuracy["qat"]


def test_the_file_agrees_with_qat(result):
    parity = result["parity"]
    assert parity["images"] == result["data"]["test"]
    assert parity["within_1_lsb"] >= 0.995
    assert parity["top1_agreement"] == 1.0


def test_nothing_half_written_is_left(run):
    assert not list(run.rglob(".partial*"))
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.toml", "checkpoints", "float.keras", "qat.keras", "model_int8.tflite",
        "labels.txt", "result.json", "report.html", "MODEL_CARD.md",
    }  # fmt: skip


def test_labels_are_in_the_file_and_beside_it(run):
    assert (run / "labels.txt").read_text().split() == list("0123456789")
    with zipfile.ZipFile(run / "model_int8.tflite") as file:
        assert file.read("labels.txt").decode().split() == list("0123456789")


def test_report_and_card_state_the_result(run, result):
    figure = f"{result['accuracy']['int8']:.1%}"[:4]
    assert figure in (run / "report.html").read_text()
    assert figure in (run / "MODEL_CARD.md").read_text()
    shown = [item["picture"] for item in result["pictures"]]
    assert len(shown) >= 4  # right answers; there may be no mistakes
    assert all((run / picture).is_file() for picture in shown)
    assert "Grad-CAM of the float network" in (run / "report.html").read_text()


def test_evaluate_on_the_run_repeats_its_accuracy(run, result):
    found = as_json("evaluate", run, "--robustness")
    assert found["accuracy"] == result["accuracy"]["int8"]
    assert found["confusion"] == result["confusion"]
    assert found["calibration_error"] == result["calibration_error"]["int8"]
    kept = json.loads((run / "result.json").read_text())["robustness"]
    damaged = [copy["accuracy"] for copy in found["robustness"]]
    assert [copy["accuracy"] for copy in kept] == damaged
    assert min(damaged) < found["accuracy"]
    assert "Robustness" in (run / "report.html").read_text()


def test_evaluate_matches_classes_by_name(run, folder, tmp_path):
    found = as_json("evaluate", run / "model_int8.tflite", "--data", folder)
    assert found["images"] == 40
    assert found["accuracy"] >= 0.8
    assert [item["file"] for item in found["skipped"]] == ["0/notes.png"]
    (tmp_path / "7").symlink_to(folder / "7")
    alone = as_json("evaluate", run / "model_int8.tflite", "--data", tmp_path)
    assert alone["per_class"]["7"]["recall"] == found["per_class"]["7"]["recall"]


def test_predict_says_which_digit(run, folder):
    images = sorted((folder / "0").glob("[0-9]*.png"))
    found = as_json("predict", run / "model_int8.tflite", *images)
    best = [item["classes"][0] for item in found["predictions"]]
    assert sum(item["label"] == "0" for item in best) >= len(images) - 1
    assert all(0 <= item["score"] <= 1 for item in best)


def test_inspect_shows_what_result_says(run, result):
    found = as_json("inspect", run / "model_int8.tflite")
    assert found["bytes"] == result["tflite"]["bytes"]
    assert found["metadata"]["labels"] == list("0123456789")
    assert found["multiply_adds"] == result["model"]["macs"]


def test_commands_for_files_need_no_extra(run, folder, tmp_path):
    file, picture = run / "model_int8.tflite", next((folder / "3").glob("*.png"))
    for arguments in (
        ["predict", file, picture, "--explain", tmp_path / "maps"],
        ["inspect", file],
        ["evaluate", file, "--data", folder, "--robustness"],
        ["summary", "v2"],
        ["data", folder, "--html", tmp_path / "data.html"],
    ):
        words = [sys.executable, "-c", WITHOUT_EXTRAS, *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_stages_run_again_on_their_own(run, result):
    said = call("verify", run).stderr
    assert f"Most precision is lost in {result['parity']['worst_block']}" in said
    again = json.loads((run / "result.json").read_text())
    assert again["accuracy"] == result["accuracy"]


def test_a_run_is_not_overwritten_unasked(run):
    before = (run / "result.json").read_bytes()
    error = call("train", "--out", run, code=2).stderr
    assert "--resume" in error
    assert "--overwrite" in error
    assert (run / "result.json").read_bytes() == before


def test_resume_wants_the_same_settings(run):
    error = call(*RUN, "--out", run, "--resume", "--size", "64", code=2).stderr
    assert "network.input.size = 32, not 64" in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    error = call(*RUN, "--out", tmp_path / "run", code=2).stderr
    assert "cannot be written" in error
