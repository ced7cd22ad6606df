"""Every option of every command is heard: it reaches the command, or it is refused."""

import ast
import inspect
import textwrap

import pytest

from mobilenet_tf.cli import new_run
from tests.commands.test_cli import call
from tests.sources import commands

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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["choose", "--epochs", "3"], "--epochs applies only to --trials"),
        (["choose", "--out", "trials"], "--out applies only to --trials"),
        (["choose", "--trials", "1"], "give --data"),
        (["export", "RUN", "--seed", "3"], "--seed applies only to models that are not runs"),
        (["export", "RUN", "--mean", "3"], "--mean applies only to models that are not runs"),
        (["export", "RUN", "--labels", "a"], "--labels applies only to models that are not runs"),
        (["export", "RUN", "--trust-code"], "--trust-code applies only to models that are not"),
        (["export", "RUN", "--max-flash", "1MB"], "--max-flash applies only to --target mcu"),
        (["export", "RUN", "--prefix", "a"], "--prefix applies only to --target mcu and c"),
        (["export", "RUN", "--target", "mcu", "--io", "int8"], "--io applies only to --target cpu"),
        (["evaluate", "RUN", "--mean", "0"], "--mean applies only to a .tflite file"),
        (["evaluate", "RUN", "--labels", "a"], "--labels applies only to a .tflite file"),
    ],
)
def test_options_that_do_not_apply_are_refused(tmp_path, arguments, said):
    run = tmp_path / "run"
    run.mkdir()
    old = __file__.replace("test_options.py", "runs/fixtures/run_v1/config.toml")
    for name in ("config.toml", "model_int8.tflite"):
        source = old.replace("config.toml", name)
        with open(source, "rb") as file:
            (run / name).write_bytes(file.read())
    done = call(*(str(run) if word == "RUN" else word for word in arguments))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
