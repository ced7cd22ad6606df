"""The Python files of the repository, as data for tests of their imports and their form."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A room imports itself and the rooms before it. `deployment` is the folder export/.
ROOMS = (
    "core",
    "networks",
    "datasets",
    "tasks",
    "compression",
    "training",
    "selection",
    "runs",
    "deployment",
    "commands",
    "cli",
)
DEPLOYMENT = ("tflite", "proof", "devices", "report")


@dataclass(frozen=True)
class Source:
    """One Python file.

    Attributes:
        path: Absolute path; deployment's files are found in export/.
        module: Dotted name; "" for files outside of the package.
    """

    path: Path
    module: str = ""

    @property
    def name(self) -> str:
        """Path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def place(self) -> tuple[str, ...]:
        """Room that the file is in."""
        return place(self.module)

    @cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """Line and dotted name of everything that is imported, wherever the statement stands."""
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, name.name) for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                start = self._start(node)
                found += [(node.lineno, f"{start}.{name.name}") for name in node.names]
            elif isinstance(node, ast.Call) and _is_import_call(node):
                found.append((node.lineno, node.args[0].value))
        return tuple(found)

    def _start(self, node: ast.ImportFrom) -> str:
        """Absolute name of the module after `from`."""
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        package = parts if self.path.name == "__init__.py" else parts[:-1]
        package = package[: len(package) - (node.level - 1)]
        return ".".join([*package, *filter(None, [node.module])])


def _is_import_call(node: ast.Call) -> bool:
    """Whether a call is `import_module("name")` or `__import__("name")`."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    first = node.args[0] if node.args else None
    return (
        name in ("import_module", "__import__")
        and isinstance(first, ast.Constant)
        and isinstance(first.value, str)
    )


def place(module: str) -> tuple[str, ...]:
    """Room of a module or of something imported from it: ("core",), ("deployment", "tflite").

    Empty for the package itself and for everything outside of it.
    """
    parts = module.split(".")
    if parts[0] != "mobilenet_tf" or len(parts) < 2 or parts[1] not in ROOMS:
        return ()
    if parts[1] == "deployment" and len(parts) > 2 and parts[2] in DEPLOYMENT:
        return tuple(parts[1:3])
    return (parts[1],)


def rank(where: tuple[str, ...]) -> tuple[int, int]:
    """Position in the order of imports; the package deployment itself stands before its parts."""
    inner = DEPLOYMENT.index(where[1]) if len(where) > 1 else -1
    return ROOMS.index(where[0]), inner


@cache
def package() -> tuple[Source, ...]:
    """Every file of the package, those behind the link mobilenet_tf/deployment included."""
    own = _below("mobilenet_tf", "mobilenet_tf")
    return (*own, *_below("export", "mobilenet_tf.deployment"))


def _below(folder: str, module: str) -> Iterator[Source]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        inner = path.relative_to(ROOT / folder).with_suffix("").parts
        if folder == "mobilenet_tf" and inner[0] == "deployment":  # Python 3.13 follows the link
            continue
        names = inner[:-1] if inner[-1] == "__init__" else inner
        yield Source(path, ".".join([module, *names]))


@cache
def everything() -> tuple[Source, ...]:
    """The package, and the programs and tests around it."""
    around = [
        Source(path)
        for folder in ("benchmarks", "tests", "android_demo")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    return (*package(), *around)


def violations(
    sources: tuple[Source, ...], broken: Callable[[Source], Iterator[tuple[int, str]]]
) -> list[str]:
    """Return "file:line: what is wrong" for everything that `broken` finds."""
    return [f"{source.name}:{line}: {what}" for source in sources for line, what in broken(source)]


def check(found: list[str]) -> None:
    """Fail with a line for each violation."""
    assert not found, "\n" + "\n".join(found)


@cache
def commands() -> dict[str, Callable[..., object]]:
    """The command line's commands and the functions behind them."""
    from mobilenet_tf.cli.app import app

    return {
        command.name or command.callback.__name__: inspect.unwrap(command.callback)
        for command in app.registered_commands
    }
