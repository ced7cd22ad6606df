"""Execute the example notebook, and write its outputs and the page of the site that shows it.

python -m benchmarks.notebook

Cells are changed in docs/first_hour.ipynb itself.
"""

import ast
import contextlib
import io
import json
import os
import tempfile
from typing import Any

from benchmarks.sections import DOCS
from mobilenet_tf.core.files import read_json, write_text

NOTEBOOK, PAGE = DOCS / "first_hour.ipynb", DOCS / "first_hour.md"
_HTML = "text/html"

Notebook = dict[str, Any]


def executed(notebook: Notebook) -> Notebook:
    """Return a notebook with the outputs of its cells, which run in the present folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, count = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            outputs = _outputs("".join(cell["source"]), names, count)
            cell = cell | {"outputs": outputs, "execution_count": count}
        cells.append(cell)
    return notebook | {"cells": cells}


def _outputs(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Run a cell; return what it prints, and the value of its last line if that has one."""
    *statements, last = ast.parse(source).body
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        if not isinstance(last, ast.Expr):
            statements.append(last)
        exec(compile(ast.Module(statements, []), f"cell {count}", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {count}", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    if value is not None:
        html = getattr(value, "_repr_html_", None)
        data = {_HTML: html()} if html else {"text/plain": repr(value)}
        result = {"output_type": "execute_result", "execution_count": count}
        outputs.append(result | {"data": data, "metadata": {}})
    return outputs


def page(notebook: Notebook) -> str:
    """Return a notebook as a page of Markdown."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += map(_shown, cell["outputs"])
    return "\n\n".join(parts) + "\n"


def _shown(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if _HTML in data:
        return f"<div>\n{data[_HTML]}\n</div>"
    return f"```\n{output.get('text', data.get('text/plain', '')).rstrip()}\n```"


def main() -> None:
    """Execute the notebook in a temporary folder; write both files."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        notebook = executed(read_json(NOTEBOOK))
        os.chdir(DOCS)
    write_text(NOTEBOOK, json.dumps(notebook, indent=1) + "\n")
    write_text(PAGE, page(notebook))


if __name__ == "__main__":
    main()
