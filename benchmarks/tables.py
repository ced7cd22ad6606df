"""Tables that programs write into documents, between two marks that name them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from export.verify import machine, versions
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.zoo import ZOO

ROOT = Path(__file__).parents[1]
# What decides how fast integers are multiplied on x86 and Arm.
_INSTRUCTIONS = ("avx2", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm", "sve")


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; all but the first column are aligned to the right."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def replace_section(document: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        UserError: the document lacks the marks.
    """
    content = document.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in content or end not in content:
        raise UserError(f"{document} has no section between {start} and {end}.")
    before, rest = content.split(start, 1)
    _, after = rest.split(end, 1)
    document.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def keep(path: Path, row: dict, key: Sequence[str]) -> dict:
    """Put a row into a JSON file of rows, in place of the one with the same key.

    Rows that were measured on another machine or with other versions are dropped.

    Returns:
        What the file holds: rows (in the zoo's order), machine, versions.
    """
    facts = {"machine": machine() | {"instructions": _instructions()}, "versions": versions()}
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    same = all(known.get(name) == value for name, value in facts.items())
    rows = [row] + [
        other
        for other in (known["rows"] if same else [])
        if any(other[name] != row[name] for name in key)
    ]
    order = list(ZOO)
    rows.sort(key=lambda other: [order.index(other["network"])] + [other[name] for name in key])
    path.write_text(json.dumps(facts | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def publish(
    name: str,
    row: dict,
    key: Sequence[str],
    table: Callable[[list[dict]], str],
    note: str,
    runtimes: str = "",
) -> None:
    """Put a row into docs/NAME.json, and all its rows into section NAME of docs/benchmarks.md.

    Args:
        key: what tells rows apart.
        table: rows as Markdown.
        note: what stands below the table, before the machine.
        runtimes: what was measured besides, after it.
    """
    facts = keep(ROOT / "docs" / f"{name}.json", row, key)
    text = f"{table(facts['rows'])}\n\n{note} {where(facts)}{runtimes}"
    replace_section(ROOT / "docs" / "benchmarks.md", name, text)


def spread(quartiles: Sequence[float] | None) -> str:
    """Median, lower and upper quartile in one cell."""
    if quartiles is None:
        return "-"
    middle, low, high = quartiles
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def where(facts: dict) -> str:
    """One sentence on the machine and the runtime."""
    found, used = facts["machine"], facts["versions"]
    instructions = ", ".join(found["instructions"]) or "no integer instructions of its own"
    runtimes = f"LiteRT {used['litert']}, TensorFlow {used['tensorflow']}"
    return f"{found['cpu']} ({instructions}), {runtimes}."


def _instructions() -> list[str]:
    """The integer instructions of this CPU, as far as the system tells."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return []
    return [name for name in _INSTRUCTIONS if name in words]
