"""What a user's mistakes are answered with: one sentence, exit code 2, nothing written."""

import json
import subprocess
import sys

import pytest

from tests.absent import NOT_IMPORTED


def call(*arguments, cwd=None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", NOT_IMPORTED, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


COMMANDS = (
    "run", "train", "quantize", "export", "verify", "evaluate", "predict", "inspect", "summary",
    "tune",
    "search",
)  # fmt: skip


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help(command):
    done = call(*filter(None, [command]), "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--model", "v9"], "v1, v2, v3_large"),
        (["run", "--alpha", "0"], "alpha is 0.0; it must be a number greater than 0"),
        (["run", "--alpha", "wide"], "--alpha"),
        (["run", "--size", "16"], "size is 16; it must be a whole number of at least 32"),
        (["run", "--channels", "4"], "channels is 4"),
        (["run", "--epochs", "0"], "epochs is 0; it must be at least 1"),
        (["run", "--qat-epochs", "-1"], "qat.epochs is -1; it must be at least 0"),
        (["run", "--batch", "0"], "batch is 0"),
        (["run", "--seed", "-1"], "seed is -1"),
        (["run", "--data", "nowhere"], "nowhere does not exist"),
        (["run", "--weights", "gone.h5"], "gone.h5"),
        (["quantize", "nowhere"], "nowhere has no config.toml"),
        (["export", "nowhere"], "nowhere has no config.toml"),
        (["verify", "nowhere"], "nowhere has no config.toml"),
        (["evaluate", "gone.tflite", "--data", "digits"], "gone.tflite does not exist"),
        (["evaluate", "gone.tflite"], "--data"),
        (["predict", "gone.tflite", "gone.png"], "gone.tflite does not exist"),
        (["inspect", "gone.tflite"], "gone.tflite does not exist"),
        (["summary", "v9"], "There is no model named 'v9'"),
        (["tune", "--data", "nowhere"], "nowhere does not exist"),
        (["tune", "--algorithm", "grid"], "algorithm is 'grid'; it must be one of hyperband"),
        (["tune", "--alpha", "0.25,wide"], "alpha is '0.25,wide'; it must be values such as"),
        (
            ["tune", "--max-macs", "1K"],
            "No network of the space is within the budget; v3_small 0.25",
        ),
        (["tune", "--space", "gone.toml"], "gone.toml cannot be read"),
        (["tune", "--weights", "gone.h5"], "weights is 'gone.h5'"),
        (["fly"], "No such command 'fly'"),
        (["run", "--colour", "red"], "No such option"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, said, tmp_path):
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_summary_is_one_json_object():
    facts = json.loads(call("summary", "v2", "--alpha", "0.35", "--size", "96", "--json").stdout)
    assert facts["macs"] == 11_934_128
    assert facts["parameters"] == 1_691_208
    task = ("--task", "segmentation", "--size", "1024x2048", "--classes", "19")
    facts = json.loads(call("summary", "v3_large", *task, "--json").stdout)
    assert facts["size"] == [1024, 2048]
    assert facts["trainable_parameters"] / 1e6 == pytest.approx(1.507, rel=0.005)
    networks = json.loads(call("summary", "--json").stdout)["networks"]
    assert {row["name"] for row in networks} >= {"v1", "v2", "v3_large", "v3_small"}
