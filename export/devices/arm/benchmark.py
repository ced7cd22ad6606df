"""Compare `.tflite` files on an emulated core by exact numbers of instructions, not by time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.arm.cores import Core
from mobilenet_tf.deployment.devices.arm.emulator import Emulator
from mobilenet_tf.deployment.devices.benchmark import (
    check_request,
    file_facts,
    only,
    operator_names,
    runnable,
)
from mobilenet_tf.deployment.devices.parts_table import CALL
from mobilenet_tf.deployment.tflite.from_graph import graph_file


def benchmark_core(
    files: Sequence[Path],
    core: Core,
    profile: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Count the instructions of files, which run on XNNPACK with one thread.

    Args:
        files: `.tflite` files.
        core: The core.
        profile: Whether to count those of every operator as well.
        progress: Called with (files done, files in all).

    Returns:
        processor (core, emulator and runtime); rounds, which is 1; and files, a list with, of each
        file: file (its path), bytes, partitions and left_out (both determined on this machine),
        instructions of one inference, ratio to the first file, and ops (operator -> count,
        instructions; each operator runs alone, and the overhead of the call is subtracted).

    Raises:
        UserError: A file cannot be run or is given twice, or packages are missing.
    """
    check_request(files, (1,), 1)
    emulator = Emulator(core)
    contents, facts = runnable(files)
    rows: list[dict[str, Any]] = []
    for done, (name, content) in enumerate(contents.items(), start=1):
        counted = emulator.measure({name: content})[name]
        ops = operator_instructions(emulator, content, name) if profile else {}
        row = {**file_facts(name, content, facts[name]), "instructions": counted, "ops": ops}
        rows.append(row | {"ratio": counted / (rows[0] if rows else row)["instructions"]})
        if progress:
            progress(done, len(contents))
    return {"processor": emulator.name, "rounds": 1, "files": rows}


def operator_instructions(
    emulator: Emulator, content: bytes, name: str
) -> dict[str, dict[str, float]]:
    """Return operator -> count, instructions, the largest first; none if one cannot run alone."""
    names = operator_names(content, name)
    alone = {f"{name}, operator {index}": only(content, index) for index in range(len(names))}
    try:
        counted = emulator.measure({"a call": graph_file(CALL), **alone})
    except UserError:
        return {}
    call = counted.pop("a call")
    found: dict[str, dict[str, float]] = {}
    for kind, instructions in zip(names, counted.values(), strict=True):
        entry = found.setdefault(kind, {"count": 0, "instructions": 0})
        entry["count"] += 1
        entry["instructions"] += max(0, instructions - call)
    return dict(sorted(found.items(), key=lambda item: -item[1]["instructions"]))
