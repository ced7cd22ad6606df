"""The tutorials and the example notebook: what they show was executed, and still runs."""

import re

import pytest

import mobilenet_tf as mn
from benchmarks.notebook import NOTEBOOK, PAGE, executed, page
from benchmarks.sections import DOCS, read_section
from benchmarks.tutorials import COMMANDS
from mobilenet_tf.core.files import read_json


def outputs(notebook: dict) -> list[dict]:
    """Of all cells, one after the other."""
    return [output for cell in notebook["cells"] for output in cell.get("outputs", ())]


def kinds(notebook: dict) -> list[tuple[str, ...]]:
    """Type and format of each output."""
    return [(one["output_type"], *one.get("data", ())) for one in outputs(notebook)]


@pytest.mark.long
def test_every_cell_runs_and_gives_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = read_json(NOTEBOOK)
    found = executed(shown)
    assert kinds(found) == kinds(shown)
    assert ("execute_result", "text/html") in kinds(found)
    for notebook in (shown, found):
        printed = "".join(one.get("text", "") for one in outputs(notebook))
        share = re.search(r"int8 file ([\d.]+)%", printed)
        assert float(share[1]) > 50  # of ten classes


def test_the_page_shows_the_notebook():
    assert PAGE.read_text(encoding="utf-8") == page(read_json(NOTEBOOK))


def test_outputs_are_those_of_the_last_line_and_of_print():
    cell = {"cell_type": "code", "source": "print('<a>')\n1 + 1"}
    silent = {"cell_type": "code", "source": ["x = 3\n", "x == 3 or fail()\n", "y = x"]}
    found = executed({"cells": [cell, silent, {"cell_type": "markdown", "source": "# A"}]})
    assert kinds(found) == [("stream",), ("execute_result", "text/plain")]
    assert page(found).startswith("```python\nprint('<a>')\n1 + 1\n```\n\n```\n<a>\n```\n\n```\n2")


@pytest.mark.parametrize("document", COMMANDS)
def test_tutorials_show_the_commands_that_the_program_runs(document):
    for name, command in COMMANDS[document].items():
        assert read_section(DOCS / document, name).startswith(f"```\n$ {command}\n")


def test_a_network_of_your_own(monkeypatch):
    """The example of the tutorial, without the training."""
    compared = []
    monkeypatch.setattr(mn, "compare", lambda *given, **options: compared.append(given))
    text = (DOCS / "tutorial_comparison.md").read_text(encoding="utf-8")
    exec(re.search(r"```python\n(.*?)```", text, re.S)[1], {})
    ((_, (base, own)),) = compared
    assert mn.summary(own)["parameters"] < mn.summary(base)["parameters"]
