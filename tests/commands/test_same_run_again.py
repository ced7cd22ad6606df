"""`run --config` makes exactly the same run again, whatever options the first one had."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import warm
from tests.commands.test_cli import call as call_without_tensorflow
from tests.killing import assert_same_weights

RECIPE = """
batch = 16
bn_momentum = 0.9
calibration = 32
dropout = 0.3

[train]
epochs = 7
learning_rate = 2e-3
decay_depthwise = true
ema = 0.5

[train.optimizer]
name = "sgd"

[qat]
epochs = 3
learning_rate = 1e-4
"""
NETWORK = {"alpha": 0.05, "size": 48, "classes": 3, "channels": 1}
# `train` and `quantize` in one process, twice.
PROGRAM = """
import sys
import mobilenet_tf as mn
from mobilenet_tf.cli.app import app
from mobilenet_tf.core import environment
from tests.short import shallow_zoo

environment.prepare()
first, again, *options = sys.argv[1:]
for out, arguments in ((first, options), (again, ["--config", f"{first}/config.toml"])):
    with shallow_zoo():
        app(["train", *arguments, "--out", out], standalone_mode=False)
    mn.quantize(out)
"""
NOT_SETTINGS = {"config", "dry_run", "out", "overwrite", "resume", "strategy", "trust_code"}


@pytest.fixture
def options(tmp_path_factory, short_networks) -> dict[str, list[str]]:
    """Every option of a run with a value that is not its default."""
    import tf_keras as keras
    from sklearn.datasets import load_digits

    import mobilenet_tf as mn

    folder = tmp_path_factory.mktemp("inputs")
    digits = load_digits(n_class=3)
    for index, (image, label) in enumerate(zip(digits.images[:90], digits.target, strict=False)):
        (folder / "data" / str(label)).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((image * 255 / 16).astype(np.uint8))
        picture.save(folder / "data" / f"{label}/{index}.png")
    (folder / "mine.toml").write_text(RECIPE)
    keras.utils.set_random_seed(1)
    mn.build("v3_small_minimalistic", **NETWORK).save(folder / "weights.keras")
    image = keras.Input((48, 48, 1))
    scores = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(image))
    keras.Model(image, scores).save(folder / "teacher.keras")
    (folder / "labels.txt").write_text("2\n0\n1\n")
    (folder / "corrections.csv").write_text("0/0.png,1\n0/10.png,-\n")
    return {
        "task": ["--task", "classification"],
        "task_options": [],
        "pairs": [],  # repeats its bits in a new process only, see docs/pairs.md
        "data": ["--data", str(folder / "data")],
        "group_by": ["--group-by", r"/(\d)"],
        "find_duplicates": ["--no-find-duplicates"],
        "class_order": ["--class-order", str(folder / "labels.txt")],
        "corrections": ["--corrections", str(folder / "corrections.csv")],
        "model": ["--model", "v3_small_minimalistic"],
        "alpha": ["--alpha", "0.05"],
        "size": ["--size", "48"],
        "channels": ["--channels", "1"],
        "fit": ["--fit", "pad"],
        "front_end": [],  # chooses fit and resize, which config.toml keeps
        "recipe": ["--recipe", str(folder / "mine.toml")],
        "fields": [
            *("--set", "train.clip_norm=1.5", "--set", "qat.augmentation.zoom=0.3"),
            *("--set", "prune.epochs=1", "--set", "prune.smallest=9", "--set", "cluster.epochs=1"),
        ],
        "epochs": ["--epochs", "2"],
        "qat_epochs": ["--qat-epochs", "1"],
        "compress": ["--compress", "prune,cluster,qat"],
        "max_flash": [],  # hundreds of evaluations; see tests/training/test_sensitivity.py
        "batch": ["--batch", "24"],
        "seed": ["--seed", "5"],
        "weights": ["--weights", str(folder / "weights.keras")],
        "teacher": ["--teacher", str(folder / "teacher.keras")],
        "teacher_labels": ["--teacher-labels", str(folder / "labels.txt")],
        "factorize": ["--factorize", "lowrank=4"],
        "io": ["--io", "int8"],
        "per_tensor": ["--per-tensor"],
        "deterministic": ["--deterministic"],
    }


@pytest.mark.slow
def test_a_run_with_every_option_is_made_again(options, tmp_path):
    from typer.main import get_command

    from mobilenet_tf.cli.app import app

    known = {parameter.name for parameter in get_command(app).commands["train"].params}
    assert known - NOT_SETTINGS - {"help"} == set(options)

    first, again = tmp_path / "first", tmp_path / "again"
    words = [word for words in options.values() for word in words]
    command = warm.command("-c", PROGRAM, str(first), str(again), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (again / "config.toml").read_bytes() == (first / "config.toml").read_bytes()
    stages = {path.stem for path in (first / "checkpoints").iterdir()}
    assert stages == {"float", "prune", "cluster", "qat"}
    assert_same_weights(first, again)


@pytest.fixture
def config(tmp_path) -> Path:
    from mobilenet_tf.networks.zoo import make_network
    from mobilenet_tf.runs.run import begin
    from mobilenet_tf.runs.settings import RunSettings
    from mobilenet_tf.training.recipe import load_recipe

    network = make_network("v1", 0.25, 32, channels=1)
    settings = RunSettings(data="digits", network=network, recipe=load_recipe("small_data"))
    return begin(settings, out=tmp_path / "run").folder.config_file


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--alpha", "0.25"], "--alpha cannot be combined with --config"),
        (["--deterministic"], "--deterministic cannot be combined with --config"),
        (["--per-channel"], "--per-tensor cannot be combined with --config"),
        (["--set", "batch=3"], "--set cannot be combined with --config"),
    ],
)
def test_other_settings_are_refused(config, options, said):
    done = call_without_tensorflow("run", "--config", config, *options)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize("place", ["config.toml", "."])
def test_the_folder_of_the_first_run_is_in_use(config, place):
    arguments = ("--config", config.parent / place, "--out", config.parent)
    done = call_without_tensorflow("train", *arguments)
    assert done.returncode == 2
    assert "holds an earlier run; use --resume to continue it" in done.stderr


def test_an_absent_file(tmp_path):
    done = call_without_tensorflow("run", "--config", tmp_path / "gone.toml")
    assert done.returncode == 2
    assert "gone.toml cannot be read: No such file" in done.stderr
