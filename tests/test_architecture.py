"""The rooms and the order in which they may import each other: see docs/architecture.md.

Imports inside functions count like those at the top of a file; so do imports for annotations only,
and names passed to `import_module`.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.sources import (
    DEPLOYMENT,
    ROOMS,
    ROOT,
    Source,
    check,
    commands,
    everything,
    package,
    place,
    rank,
    violations,
)

# Stricter than the order.
ONLY = {
    ("deployment", "tflite"): {("core",), ("networks",), ("deployment", "tflite")},
}

TENSORFLOW = {"tensorflow", "tf_keras", "keras", "keras_tuner", "tensorflow_model_optimization"}
# Rooms that stay free of TensorFlow, and the files in which they use it all the same.
FREE_OF_TENSORFLOW = {
    ("core",): {"mobilenet_tf/core/terminal.py"},  # imports it without its log
    ("networks",): {
        "mobilenet_tf/networks/keras_model.py",
        "mobilenet_tf/networks/published/weights.py",
    },
    ("deployment", "tflite"): {"export/tflite/convert.py"},
}


def test_rooms():
    """Every folder and file of the package belongs to a room."""
    inside = [path for path in (ROOT / "mobilenet_tf").iterdir() if path.name != "__pycache__"]
    assert {path.name for path in inside if path.is_dir()} <= set(ROOMS)
    files = {path.name for path in inside if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "py.typed"}
    parts = [path for path in (ROOT / "export").iterdir() if path.name != "__pycache__"]
    assert {path.name for path in parts} == {"__init__.py", *DEPLOYMENT}


def test_order_of_imports():
    def arrows(source: Source) -> Iterator[tuple[int, str]]:
        if not source.place:  # __init__ and __main__ see everything
            return
        for line, name in source.imports:
            target = place(name)
            if target and rank(target) > rank(source.place):
                yield line, f"{'.'.join(source.place)} imports {name}"

    check(violations(package(), arrows))


def test_rooms_import_from_each_other_and_not_from_the_public_names():
    def upwards(source: Source) -> Iterator[tuple[int, str]]:
        for line, name in source.imports:
            root, _, rest = name.partition(".")
            if (
                source.place
                and root == "mobilenet_tf"
                and not place(name)
                and rest != "__version__"
            ):
                yield line, f"imports {name}"

    check(violations(package(), upwards))


@pytest.mark.parametrize("where", ONLY, ids=".".join)
def test_rooms_with_few_imports(where):
    def others(source: Source) -> Iterator[tuple[int, str]]:
        if source.place == where:
            for line, name in source.imports:
                if place(name) and place(name) not in ONLY[where]:
                    yield line, f"imports {name}"

    check(violations(package(), others))


@pytest.mark.parametrize("where", FREE_OF_TENSORFLOW, ids=".".join)
def test_rooms_without_tensorflow(where):
    exceptions = FREE_OF_TENSORFLOW[where]

    def heavy(source: Source) -> Iterator[tuple[int, str]]:
        if source.place == where and source.name not in exceptions:
            for line, name in source.imports:
                if name.split(".")[0] in TENSORFLOW:
                    yield line, f"imports {name}"

    check(violations(package(), heavy))


def test_one_place_reads_hdf5():
    """In a child process, because damaged files crash the library; and one place writes it."""
    users = [
        source.name
        for source in package()
        if any(name.split(".")[0] == "h5py" for _, name in source.imports)
    ]
    assert users == [f"mobilenet_tf/networks/published/{name}.py" for name in ("h5", "h5_server")]


def test_exceptions_exist():
    """The files that may use TensorFlow are files of the package."""
    allowed = set().union(*FREE_OF_TENSORFLOW.values())
    assert allowed <= {source.name for source in package()}


def test_keras_is_tf_keras():
    """Keras 3, which is installed as `keras`, is another library."""

    def wrong(source: Source) -> Iterator[tuple[int, str]]:
        for line, name in source.imports:
            if name.split(".")[0] == "keras" or name.startswith("tensorflow.keras"):
                yield line, f"imports {name}"

    check(violations(everything(), wrong))


def test_nobody_imports_the_global_name_export():
    """The folder export/ is imported as mobilenet_tf.deployment; installed, it is nothing else."""

    def wrong(source: Source) -> Iterator[tuple[int, str]]:
        for line, name in source.imports:
            if name.split(".")[0] == "export":
                yield line, f"imports {name}"

    check(violations(everything(), wrong))


def test_no_room_has_the_name_of_a_command():
    """Importing a submodule would replace the public function of the same name."""
    inside = {path.stem for path in (ROOT / "mobilenet_tf").iterdir()}
    assert not inside & {name.replace("-", "_") for name in commands()}


def test_every_command_is_one_python_call():
    """Command NAME is mobilenet_tf.NAME, defined in commands/NAME.py."""
    import mobilenet_tf

    names = {name.replace("-", "_") for name in commands()}
    defined = {
        name
        for name in names
        for source in package()
        if source.module == f"mobilenet_tf.commands.{name}"
        and name in {node.name for node in source.tree.body if isinstance(node, ast.FunctionDef)}
    }
    assert names - defined == set()
    assert names <= set(mobilenet_tf.__all__)
