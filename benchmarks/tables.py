"""Tables that programs write into documents, between two marks that name them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import machine
from mobilenet_tf.deployment.proof.verify import versions
from mobilenet_tf.networks.zoo import ZOO

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


def keep(path: Path, row: dict, key: Sequence[str]) -> list[dict]:
    """Put a row into a JSON file, in place of this machine's one with the same key.

    Rows that this machine measured with other versions are dropped.

    Returns:
        What the file holds: for each machine, the machine, versions and rows (in the zoo's order).
    """
    used = {"machine": machine() | {"instructions": _instructions()}, "versions": versions()}
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    places = [place for place, one in enumerate(known) if one["machine"] == used["machine"]]
    place = places[0] if places else len(known)
    rows = [row] + [
        other
        for one in known[place : place + 1]
        if one["versions"] == used["versions"]
        for other in one["rows"]
        if any(other[name] != row[name] for name in key)
    ]
    order = list(ZOO)
    rows.sort(key=lambda other: [order.index(other["network"])] + [other[name] for name in key])
    known[place : place + 1] = [used | {"rows": rows}]
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def publish(
    name: str, row: dict, key: Sequence[str], table: Callable[[list[dict]], str], note: str
) -> None:
    """Put a row into docs/NAME.json, and all rows into section NAME of docs/benchmarks.md.

    Args:
        key: what tells rows apart.
        table: the rows of one machine as Markdown.
        note: what stands below the tables.
    """
    machines = keep(ROOT / "docs" / f"{name}.json", row, key)
    tables = (f"On {where(one)}:\n\n{table(one['rows'])}" for one in machines)
    replace_section(ROOT / "docs" / "benchmarks.md", name, "\n\n".join((*tables, note)))


def spread(quartiles: Sequence[float] | None) -> str:
    """Median, lower and upper quartile in one cell."""
    if quartiles is None:
        return "-"
    middle, low, high = quartiles
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def where(measured: dict) -> str:
    """A machine and the runtimes."""
    found, used = measured["machine"], measured["versions"]
    instructions = ", ".join(found["instructions"]) or "no integer instructions of its own"
    runtimes = f"LiteRT {used['litert']}, TensorFlow {used['tensorflow']}"
    return f"{found['cpu']} ({instructions}), {runtimes}"


def _instructions() -> list[str]:
    """The integer instructions of this CPU, as far as the system tells."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return []
    return [name for name in _INSTRUCTIONS if name in words]
