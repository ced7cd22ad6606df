"""A wrong use of the command line, whatever it is: one clean sentence, exit code 2."""

import shutil
import sys
from pathlib import Path
from typing import get_type_hints

import pytest
import typer

from mobilenet_tf import __main__
from mobilenet_tf.cli.app import app
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.packages import PACKAGES
from tests.sources import commands

LONG = "n" * 300


@pytest.fixture
def said(monkeypatch, capsys, tmp_path):
    """Return a function that runs a command, which must end with a sentence that it returns."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["mobilenet-tf", *arguments])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        shown = capsys.readouterr()
        assert ended.value.code == 2, shown.err
        assert shown.out == ""
        assert shown.err.startswith("Error: ")
        assert shown.err.count("\n") == 1
        assert shown.err.endswith(".\n")
        assert not {"\x1b", "\u202e"} & set(shown.err)
        assert not list(tmp_path.iterdir())
        return shown.err

    return call


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "--al\x1b[31m\u202e\n"], "No such option: --al"),
        (["fl\x1by"], "No such command 'fl"),
        (["summary", "v1", "--classes", "\x1b[2J"], "Invalid value for '--classes': "),
        (["predict"], "Missing argument 'FILE.tflite'; see `mobilenet-tf predict --help`."),
        (["summary", "--size"], "Option '--size' requires an argument"),
        (["inspect", "a.tflite", "--json=yes"], "Option '--json' does not take a value"),
        (["verify", "a", "b"], "Got unexpected extra argument"),
    ],
)
def test_a_wrong_use(said, arguments, expected):
    found = said(*arguments)
    assert found.startswith(f"Error: {expected}")
    assert found.endswith("--help`.\n")


@pytest.mark.parametrize(
    "line",
    [
        "inspect LONG", "inspect DEEP", "predict gone.tflite LONG", "evaluate LONG --data digits",
        "evaluate LONG", "export LONG", "export DEEP --data digits", "verify LONG",
        "quantize LONG", "android LONG", "web LONG", "benchmark LONG", "run --data LONG",
        "run --config LONG", "run --data LONG.csv", "data LONG", "data LONG.zip",
        "data a --html LONG",
        "run --recipe LONG.toml", "run --weights LONG", "run --teacher LONG", "run --model LONG",
        "run --data nowhere --out LONG", "run --data nowhere --out DEEP", "train --data DEEP",
        "search --space LONG", "search --data LONG", "search --out LONG",
        "tune --space LONG", "tune --data LONG", "tune --out LONG", "tune --weights LONG",
        "choose --data LONG --trials 1", "choose --plot LONG.png", "choose --plot LONG/a.png",
    ],
)  # fmt: skip
def test_long_names(said, line):
    said(
        *(word.replace("LONG", LONG).replace("DEEP", "d" * 200 + "/" * 30) for word in line.split())
    )


@pytest.fixture
def without_extras(monkeypatch):
    for package in PACKAGES:
        if package.extra:
            monkeypatch.setitem(sys.modules, package.module, None)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            "train.epochs=3",
            "--set is 'train.epochs'; export changes what begins with post_training.",
        ),
        ("post_training.rounding=up", "--set: rounding is 'up'; it must be one of gptq, nearest, "),
        ("post_training.pictures=0", "--set: pictures is 0; it must be at least 1."),
    ],
)
def test_the_methods_of_export(said, places, field, expected):
    words = f"export MODEL --data digits --mean 0 --std 1 --set {field}".split()
    assert expected in said(*(places.get(word, word) for word in words))


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("train", "TensorFlow; install mobilenet-tf[train]"),
        ("verify nowhere", "TensorFlow; install mobilenet-tf[train]"),
        ("export model.h5 --data nowhere", "TensorFlow; install mobilenet-tf[train]"),
        ("choose --data digits --trials 2", "TensorFlow; install mobilenet-tf[train]"),
        ("choose --plot choice.png", "Matplotlib; install mobilenet-tf[train]"),
        ("evaluate RUN --robustness", "Matplotlib; install mobilenet-tf[train]"),
        ("evaluate FILE --data digits", "scikit-learn; install mobilenet-tf[train]"),
        ("evaluate FILE --data tfds:mnist", "TensorFlow Datasets; install mobilenet-tf[tfds]"),
        ("choose --device mcu", "TensorFlow Lite Micro; install mobilenet-tf[micro]"),
        ("choose --device ethos-u55-128", "Vela; install mobilenet-tf[micro]"),
    ],
)
def test_a_missing_package(said, places, without_extras, line, missing):
    found = said(*(places.get(word, word) for word in line.split()))
    assert found.endswith(f" needs {missing}.\n")


def test_a_python_function_names_a_missing_package(without_extras):
    import mobilenet_tf

    with pytest.raises(UserError, match=r"^verify needs TensorFlow; install mobilenet-tf\[train\]"):
        mobilenet_tf.verify("nowhere")


ABSURD = ("nan", "inf", "-inf", "-1", "0", "1e308", "1e400", str(2**63), "9" * 400, "much", "")
# What stands before the option, so that it applies; what would be refused later is absent.
BEFORE = {
    "adapt": "RUN --max-macs 9M", "adapt to": "RUN --device mcu",
    "data": "nowhere",
    "run": "--data nowhere", "train": "--data nowhere", "quantize": "RUN", "summary": "v1",
    "export": "MODEL --data nowhere --mean 1 --std 1", "predict": "gone.tflite gone.png",
    "identify": "gone.tflite gone.png",
    "evaluate": "gone.tflite --data nowhere", "tune": "--data nowhere",
    "search": "--data nowhere",
    "choose": "--data nowhere --trials 1", "compare": "--data nowhere", "benchmark": "gone.tflite",
    "web": "gone.tflite --serve",
    "verify": "RUN", "suspects": "RUN",
    "export max": "RUN --target mcu",
    "export alp": "--model v1 --data nowhere", "export siz": "--model v1 --data nowhere",
}  # fmt: skip
TOGETHER = {"mean": "--std 1", "std": "--mean 1"}
# Absurd in general, but accepted here.
ACCEPTED = {
    "seed": {"0"}, "port": {"0"}, "mean": {"0", "-1"}, "choose trials": {"0"}, "qat_epochs": {"0"},
    "adapt batches": {"0"}, "max_drop": {"0"}, "threshold": {"0", "-1"},
    "finalists": {"0"},
}  # fmt: skip
QUANTITIES = ("max_", "threads", "mean", "std", "alpha", "size")  # parsed by this project


def numeric() -> list[tuple[str, str]]:
    """Every command with the name of each option that takes a number."""
    found = []
    for name, command in sorted(typer.main.get_command(app).commands.items()):
        kinds = get_type_hints(commands()[name])
        for param in (one for one in command.params if one.param_type_name == "option"):
            kind = kinds.get(param.name)
            is_number = {int, float} & {kind, *getattr(kind, "__args__", ())}
            if is_number or param.name.startswith(QUANTITIES):
                found.append((name, param.name))
    return found


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    shutil.copytree(Path(__file__).parents[1] / "runs/fixtures/run_v1", folder / "run")
    (folder / "model.h5").write_bytes(b"")
    return {
        "RUN": str(folder / "run"),
        "FILE": str(folder / "run/model_int8.tflite"),
        "MODEL": str(folder / "model.h5"),
    }


@pytest.mark.parametrize(("command", "option"), numeric())
def test_every_number_has_bounds(said, places, command, option):
    before = BEFORE.get(f"{command} {option[:3]}", BEFORE[command])
    words = [places.get(word, word) for word in f"{command} {before}".split()]
    words += TOGETHER.get(option, "").split()
    flag = f"--{option.replace('_', '-')}"
    for value in ABSURD:
        if value in ACCEPTED.get(f"{command} {option}", ACCEPTED.get(option, ())):
            continue
        found = said(*words, f"{flag}={value}")
        names = {
            "qat_epochs": "epochs", "judge_epochs": "epochs", "judge_size": "size",
            "max_size": "max", "learning_rate": "learning",
        }  # fmt: skip
        name = names.get(option, flag[2:])
        assert name in found, f"{flag}={value}: {found}"
        assert len(found) < 700
