"""The public names of the package."""

import subprocess
import sys

import pytest

import mobilenet_tf

HEAVY = ("tensorflow", "tf_keras", "numpy", "PIL", "rich", "typer", "matplotlib", "ai_edge_litert")


def python(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_heavy():
    program = (
        "import sys, time; start = time.perf_counter(); import mobilenet_tf;"
        "print(time.perf_counter() - start, *sys.modules)"
    )
    seconds, *modules = python(program).split()
    assert not set(HEAVY) & set(modules)
    assert not [name for name in modules if name.startswith("mobilenet_tf.")]
    assert float(seconds) < 0.2


@pytest.mark.parametrize("name", mobilenet_tf.__all__)
def test_every_public_name_exists(name):
    value = getattr(mobilenet_tf, name)
    assert name in dir(mobilenet_tf)
    assert value is getattr(mobilenet_tf, name)


def test_settings_need_no_tensorflow():
    program = (
        "import sys; sys.modules['tensorflow'] = sys.modules['tf_keras'] = None;"
        "import mobilenet_tf as mn;"
        "settings = mn.RunSettings(data='digits', network=mn.make_network('v2', 0.35, 96),"
        " recipe=mn.load_recipe('small_data'));"
        "print(settings.network.title, mn.summary(settings.network)['macs'])"
    )
    assert python(program) == "v2 0.35, 96x96x3 11934128\n"


@pytest.mark.slow
def test_commands_are_functions_whatever_was_imported_before():
    program = (
        "import mobilenet_tf.commands.run, mobilenet_tf.runs.train, mobilenet_tf.runs.quantize;"
        "import mobilenet_tf as mn;"
        "print(*(callable(value) for value in (mn.run, mn.train, mn.quantize, mn.inspect)))"
    )
    assert python(program) == "True True True True\n"


def test_unknown_names():
    with pytest.raises(AttributeError, match="has no attribute 'fly'"):
        _ = mobilenet_tf.fly
