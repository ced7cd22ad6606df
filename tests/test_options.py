"""Every option of every command is heard: it reaches the command, or it is refused."""

import ast
import inspect
import shutil
import textwrap
from pathlib import Path
from typing import get_type_hints

import pytest
import typer

from mobilenet_tf.cli import new_run
from mobilenet_tf.cli.app import app
from mobilenet_tf.commands.applicable import RULES
from mobilenet_tf.core.errors import UserError
from tests.recorded import record_calls
from tests.sources import commands

RUN = Path(__file__).parent / "runs/fixtures/run_v1"
# Of each command, or of one of its options, the ways to use it, so that every option applies in at
# least one.
SITUATIONS = {
    "adapt": [
        "RUN --to 60%",
        "RUN --max-macs 9M",
        "RUN --max-macs 9M --set train.epochs=3",
        "RUN --max-macs 9M --resume",
        "RUN --max-macs 9M --overwrite",
    ],
    "data": ["photos", "photos --html page.html"],
    "doctor": [""],
    "run": [
        "",
        "--config RUN",
        "--set batch=8",
        "--resume",
        "--overwrite",
        "--for mediapipe --channels 3",
    ],
    "train": ["", "--config RUN", "--set train.epochs=3", "--set qat.epochs=3"],
    "quantize": ["RUN", "RUN --set qat.epochs=3"],
    "export": ["RUN", "MODEL", "--model v1", "RUN --target mcu", "MODEL --target npu"],
    "export model": ["", "RUN"],
    "verify": ["RUN"],
    "suspects": ["RUN"],
    "predict": ["FILE picture.png"],
    "enroll": ["FILE Ann picture.png"],
    "identify": ["FILE picture.png"],
    "inspect": ["FILE"],
    "summary": ["", "v1"],
    "evaluate": [
        "FILE --data photos",
        "RUN",
        "RUN --data photos",
        "RUN --robustness",
        "RUN --as mediapipe",
    ],
    "tune": ["", "--max-flash 1MB", "--max-macs 9M", "--set train.epochs=3", "--resume"],
    "compare": ["", "--max-flash 1MB", "--float-only", "--set train.epochs=3", "--resume"],
    "search": [
        "",
        "--max-latency 1ms",
        "--max-macs 9M",
        "--judge macs",
        "--set train.epochs=3",
        "--resume",
    ],
    "choose": [
        "",
        "--device mcu",
        "--data photos",
        "--data photos --trials 2",
        "--target mcu",
        "--plot a.png",
    ],
    "benchmark": ["FILE"],
    "android": ["FILE", "RUN"],
    "web": ["FILE", "FILE --serve"],
}
# Values that are not the defaults, for options that do not take any number or text.
VALUES = {
    "config": "CONFIG", "model": "v2", "recipe": "v1_imagenet",
    "fields": "post_training.pictures=4",
    "io": "int8", "space": "SPACE", "algorithm": "random", "labels": "LABELS", "device": "phone",
    "target": "npu", "threads": "3", "mean": "7", "std": "7", "size": "64",
    "alpha": "0.5", "factorize": "flattened", "strategy": "mirrored", "out": "elsewhere",
    "models": "v2:0.5@64", "reference": "first", "judge": "supernet", "reward": "soft",
    "hours": "0.5", "to": "50%", "gallery": "gallery", "threshold": "0.4",
    "compress": "prune", "task": "custom", "task_options": "limit=3",
    "fit": "pad", "front_end": "mediapipe",
    "criterion": "accuracy", "class_order": "number",
    "decay": "0.5", "aside": "0.5", "learning_rate": "0.5",
    "form": "jsonl", "other": "others", "min_accuracy": "95%", "explain": "maps",
    "max_drop": "1%", "corrections": "CORRECTIONS",
}  # fmt: skip

# `run` and `train` share a signature; their settings are looked up by name.
SHARED = ("run", "train")


def names_in(function) -> set[str]:
    """Every name and every text in the body of a function, beyond its parameters."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    found = set()
    for part in tree.body:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_option_is_passed_on(command):
    function = commands()[command]
    heard = names_in(function)
    if command in SHARED:
        heard |= names_in(new_run._settings)
    ignored = set(inspect.signature(function).parameters) - heard
    assert not ignored


@pytest.mark.parametrize("command", sorted({name.replace("-", "_") for name in commands()}))
def test_every_argument_of_the_python_function_is_used(command):
    import mobilenet_tf

    function = getattr(mobilenet_tf, command)
    ignored = set(inspect.signature(function).parameters) - names_in(function)
    assert not ignored


def options() -> list[tuple[str, str]]:
    """Every command with the name of each of its options that can be left out."""
    known = typer.main.get_command(app).commands
    return [
        (name, param.name)
        for name, command in sorted(known.items())
        for param in command.params
        if param.param_type_name == "option" and param.name != "help" and not param.required
    ]


@pytest.fixture
def heard(tmp_path, monkeypatch):
    """Return a function that says what reaches a command's function, or the refusal."""
    shutil.copytree(RUN, tmp_path / "run")
    places = {"RUN": tmp_path / "run", "CONFIG": tmp_path / "run/config.toml"}
    texts = {"FILE": "a.tflite", "MODEL": "a.h5", "LABELS": "labels.txt", "SPACE": "space.toml"}
    texts["CORRECTIONS"] = "corrections.csv"
    places |= {word: tmp_path / name for word, name in texts.items()}
    for word in ("FILE", "MODEL", "LABELS"):
        places[word].write_text("a\nb\n")
    space = 'model = ["v1"]\nalpha = [0.25]\nsize = [32]\nbatch = [8, 16]\n'
    places["SPACE"].write_text(space)
    places["CORRECTIONS"].write_text("file,label\na.png,b\n")
    calls = record_calls(monkeypatch)

    def call(command, *words):
        calls.clear()
        found = [str(places.get(word, word)) for word in (command, *words)]
        try:
            app(args=found, standalone_mode=False)
        except UserError as error:
            return str(error)
        assert calls
        # Without what `show` receives of the result, and the function that makes a table.
        return str([found[1] if found and "Mock" in str(found[0]) else (found, said)
                    for found, said in calls])  # fmt: skip

    return call


@pytest.mark.parametrize(("command", "option"), options())
def test_every_option_acts_or_is_refused(heard, command, option):
    param = next(
        one for one in typer.main.get_command(app).commands[command].params if one.name == option
    )
    kinds = get_type_hints(commands()[command])[option]
    value = VALUES.get(option, "7" if kinds in (int, int | None) else "7MB")
    if option == "channels":  # the digits are grey
        value = "1" if param.default == 3 else "3"
    flag = param.secondary_opts or param.opts if param.default is True else param.opts
    words = [flag[0]] if param.is_flag else [flag[0], value]
    rules = [rule for rule in RULES.get(command, ()) if option in rule.options]
    acted = False
    situations = SITUATIONS.get(f"{command} {option}", SITUATIONS[command])
    for situation in map(str.split, situations):
        if set(param.opts) & set(situation):
            continue
        before, after = heard(command, *situation), heard(command, *situation, *words)
        refused = any(after.startswith(f"{param.opts[0]} {rule.said}") for rule in rules)
        assert refused or before != after, f"{command} {situation} ignores {words}"
        acted |= not refused
    assert acted, "no situation in which it applies"


def test_rules_name_options():
    import mobilenet_tf

    known = {}
    for command, option in options():
        known.setdefault(command, set()).add(option)
    for command, rules in RULES.items():
        for rule in rules:
            arguments = inspect.signature(getattr(mobilenet_tf, command)).parameters
            assert set(rule.options) <= known[command] | set(arguments), command
    config = next(rule for rule in RULES["run"] if "--config" in rule.said)
    assert known["run"] - set(config.options) == {
        *("config", "corrections", "dry_run", "out", "overwrite", "resume", "strategy"),
        "trust_code",
    }  # fmt: skip


def test_arguments_of_python_functions_are_refused_too():
    import mobilenet_tf

    for call, said in (
        (lambda: mobilenet_tf.evaluate(RUN, mean=3.0), "--mean applies only to a .tflite file"),
        (lambda: mobilenet_tf.evaluate(RUN, seed=3), "--seed applies only to --data and"),
        (lambda: mobilenet_tf.summary(alpha=0.5), "--alpha applies only to a network"),
    ):
        with pytest.raises(UserError, match=said):
            call()
