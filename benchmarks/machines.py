"""Sections with one table for each machine on which their rows were measured.

The JSON file is a list with an entry {"machine", "versions", "rows"} per machine.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sections import Section
from mobilenet_tf.core.system import machine
from mobilenet_tf.networks.zoo import ZOO

Rows = list[dict[str, Any]]
# The CPU features that decide how fast integers are multiplied on x86 and Arm.
_INSTRUCTIONS = ("avx2", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm", "sve")


def machine_section(
    name: str, table: Callable[[Rows], str], note: Callable[[Rows], str]
) -> Section:
    """Return a section of docs/benchmarks.md.

    Args:
        name: Name of the section and of its JSON file.
        table: Function that returns the rows of one machine as Markdown.
        note: Function that returns the text below the tables, from the entries of all machines.
    """

    def render(entries: Rows) -> str:
        tables = (f"On {_title(entry)}:\n\n{table(entry['rows'])}" for entry in entries)
        return "\n\n".join((*tables, note(entries)))

    return Section(name, render)


def add_row(
    section: Section,
    row: dict[str, Any],
    key: Sequence[str],
    runtimes: Mapping[str, str] | None = None,
) -> None:
    """Put a row into a section and its JSON file, in place of this machine's row with that key.

    Rows that this machine measured with other versions are dropped.

    Args:
        section: Result of `machine_section`.
        row: The row; it has the field `network`.
        key: Names of the fields that identify a row.
        runtimes: Versions of further libraries that the row depends on.
    """
    from mobilenet_tf.deployment.proof.verify import versions  # imports TensorFlow

    used = {
        "machine": machine() | {"instructions": _instructions()},
        "versions": versions() | dict(runtimes or {}),
    }
    entries = section.content() if section.file.exists() else []
    places = [place for place, entry in enumerate(entries) if entry["machine"] == used["machine"]]
    place = places[0] if places else len(entries)
    rows = [row] + [
        other
        for entry in entries[place : place + 1]
        if entry["versions"] == used["versions"]
        for other in entry["rows"]
        if any(other[name] != row[name] for name in key)
    ]
    order = {name: place for place, name in enumerate(ZOO)}  # networks that were found come last
    rows.sort(
        key=lambda other: (order.get(other["network"], len(order)), *(other[name] for name in key))
    )
    entries[place : place + 1] = [used | {"rows": rows}]
    section.save(entries)


def values(entries: Rows, name: str) -> str:
    """Return the distinct values of a field over the rows of all machines, as text."""
    found = dict.fromkeys(str(row[name]) for entry in entries for row in entry["rows"])
    return ", ".join(found)


def _title(entry: dict[str, Any]) -> str:
    """A machine and the versions of its runtimes."""
    found, used = entry["machine"], entry["versions"]
    instructions = ", ".join(found["instructions"]) or "no integer instructions of its own"
    runtimes = f"LiteRT {used['litert']}, TensorFlow {used['tensorflow']}"
    return f"{found['cpu']} ({instructions}), {runtimes}"


def _instructions() -> list[str]:
    """The integer instructions of this CPU that the system reports."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return []
    return [name for name in _INSTRUCTIONS if name in words]
