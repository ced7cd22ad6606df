"""The form of the code: short files, few parameters, annotations, nothing behind the back."""

import ast
from collections.abc import Iterator

from tests.sources import Source, check, commands, everything, package, violations

LINES, PARAMETERS = 300, 7


def test_files_can_be_read_in_one_sitting():
    def long(source: Source) -> Iterator[tuple[int, str]]:
        lines = len(source.text.splitlines())
        if lines > LINES:
            yield lines, f"has {lines} lines, more than {LINES}"

    check(violations(everything(), long))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """Every parameter, except a method's own object or class."""
    arguments = function.args
    found = [*arguments.posonlyargs, *arguments.args]
    if found and found[0].arg in ("self", "cls"):
        found = found[1:]
    return [*found, *arguments.kwonlyargs, *filter(None, [arguments.vararg, arguments.kwarg])]


def test_functions_have_at_most_seven_parameters():
    """The signatures of commands are exempt: each of their parameters is an option."""
    exempt = {
        (code.co_filename, code.co_firstlineno)
        for code in (function.__code__ for function in commands().values())
    }

    def long(source: Source) -> Iterator[tuple[int, str]]:
        for function in functions(source.tree):
            first = min([function.lineno, *(node.lineno for node in function.decorator_list)])
            count = len(parameters(function))
            if count > PARAMETERS and (str(source.path), first) not in exempt:
                yield function.lineno, f"{function.name} has {count} parameters"

    check(violations(everything(), long))


def test_public_functions_are_annotated():
    """Every parameter and what is returned, in functions and in the methods of public classes."""

    def bare(source: Source) -> Iterator[tuple[int, str]]:
        for function in _public(source.tree):
            lacking = [x.arg for x in parameters(function) if x.annotation is None]
            if function.returns is None and function.name != "__init__":
                lacking.append("return")
            if lacking:
                yield function.lineno, f"{function.name}: no annotation of {', '.join(lacking)}"

    check(violations(package(), bare))


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        name = getattr(node, "name", "_")
        if isinstance(node, ast.ClassDef) and not name.startswith("_"):
            yield from _public(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            not name.startswith("_") or name in ("__init__", "__call__")
        ):
            yield node


def test_frozen_objects_stay_frozen():
    """Writing into an object's __dict__ changes it for all who share it, frozen or not."""

    def written(source: Source) -> Iterator[tuple[int, str]]:
        for node in ast.walk(source.tree):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Store)
                and getattr(node.value, "attr", "") == "__dict__"
            ):
                yield node.lineno, "writes into __dict__"

    check(violations(everything(), written))
