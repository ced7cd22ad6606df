"""Compare the speed of `.tflite` files on this machine, so that ratios hold despite noise."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.child import ChildCrash
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import processor
from mobilenet_tf.deployment.devices.cpu import InChild
from mobilenet_tf.deployment.devices.timing import compared, interleaved
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.guard import litert_child
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.limits import PROFILED
from mobilenet_tf.deployment.tflite.parse import OP_NAMES, op_codes, parse_model, read_file
from mobilenet_tf.deployment.tflite.shrink import drop_unused

_PROFILE_ROUNDS = 15


def benchmark(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    rounds: int = 50,
    profile: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure files side by side: after a warm-up, one turn of each file per round.

    Args:
        files: `.tflite` files, which run on XNNPACK as on phones.
        threads: Numbers of CPU threads; every file is measured with each.
        rounds: Number of measurements of each file.
        profile: Whether to measure every operator as well.
        progress: Called with (rounds done, rounds in all).

    Returns:
        processor; rounds; and files, a list with, of each file: file (its path), bytes,
        partitions, left_out, peak_memory_bytes (in addition to the runtime's; None where the
        system does not report it), threads (number of threads -> median_ms, p10_ms, p90_ms, and
        ratio to the first file), and ops (operator -> count, ms; each operator is measured alone,
        with the first number of threads and without the transitions between operators).

    Raises:
        UserError: A file cannot be run, a number is below 1, or a file is given twice.
    """
    check_request(files, threads, rounds)
    contents, facts = runnable(files)
    runs = {
        (name, count): InChild(content, name, count)
        for name, content in contents.items()
        for count in threads
    }
    times = interleaved(runs, rounds, progress)
    rows = [
        {
            **file_facts(name, content, facts[name]),
            "peak_memory_bytes": peak_memory(content, name, threads[0]),
            "threads": compared(times, name, str(files[0]), threads),
            "ops": profile_ops(content, name, threads[0]) if profile else {},
        }
        for name, content in contents.items()
    ]
    return {"processor": processor(), "rounds": rounds, "files": rows}


def runnable(files: Sequence[Path]) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return name -> content and name -> what `inspect` knows, of files that LiteRT can run.

    Raises:
        UserError: A file cannot be read or run.
    """
    contents = {str(path): read_file(path)[0] for path in files}
    facts = {name: inspect(name) for name in contents}
    for found in facts.values():
        if found["delegate"]["problem"]:
            raise UserError(found["delegate"]["problem"])
    return contents, facts


def file_facts(name: str, content: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a file without a measurement; `facts` are those of `inspect`."""
    delegate = facts["delegate"]
    return {
        "file": name,
        "bytes": len(content),
        "partitions": delegate["partitions"],
        "left_out": delegate["left_out"],
    }


def check_request(files: Sequence[Path], threads: Sequence[int], rounds: int) -> None:
    """Reject files and numbers that cannot be measured.

    Raises:
        UserError: There is no file, a file is given twice, or a number is below 1.
    """
    if not files:
        raise UserError("benchmark needs at least one .tflite file.")
    for name, values in (("threads", threads), ("rounds", [rounds])):
        if min(values) < 1:
            raise UserError(f"{name} is {min(values)}; it must be at least 1.")
    if len(set(map(str, files))) < len(files):
        raise UserError("A file is given twice; its ratio to itself would be 1.")


def peak_memory(content: bytes, name: str, threads: int) -> int | None:
    """Return the bytes by which loading and running a file raises a process's peak memory."""
    child = litert_child(name, len(content))
    before = child.ask("peak")[0]["kib"]
    InChild(content, name, threads, child)()
    after = child.ask("peak")[0]["kib"]
    return None if before is None or after is None else (after - before) * 1024


def profile_ops(content: bytes, name: str, threads: int = 1) -> dict[str, dict[str, float]]:
    """Return operator -> count and ms; each operator is measured as a file of its own, in turns.

    An operator that cannot run alone, such as one of a control flow, is left out. There are none
    if one of them ends the process, or for files of more than `PROFILED` operators.
    """
    names = operator_names(content, name)
    child, runs = litert_child(name, 4 * len(content)), {}
    for index in range(len(names)):
        try:
            runs[index] = InChild(only(content, index), name, threads, child)
            runs[index]()
        except ChildCrash:
            runs.clear()
            break
        except UserError:
            runs.pop(index, None)
    times = interleaved(runs, _PROFILE_ROUNDS)
    found: dict[str, dict[str, float]] = {}
    for index in runs:
        entry = found.setdefault(names[index], {"count": 0, "ms": 0.0})
        entry["count"] += 1
        entry["ms"] += float(np.median(times[index]))
    return dict(sorted(found.items(), key=lambda item: -item[1]["ms"]))


def operator_names(content: bytes, name: str) -> list[str]:
    """Return the names of a file's operators in order; none of more than `PROFILED`."""
    model = parse_model(content, name)
    codes = [op_codes(model)[op.opcodeIndex] for op in model.subgraphs[0].operators]
    if len(codes) > PROFILED:
        return []
    return [OP_NAMES.get(code, f"OPERATOR_{code}") for code in codes]


def only(content: bytes, index: int) -> bytes:
    """Return the file with one of its operators, whose inputs become the file's inputs."""
    model = parse_model(content)
    graph = model.subgraphs[0]
    op = graph.operators[index]
    constant = [
        model.buffers[tensor.buffer].data is not None and len(model.buffers[tensor.buffer].data) > 0
        for tensor in graph.tensors
    ]
    inputs = dict.fromkeys(int(i) for i in op.inputs if i >= 0 and not constant[i])
    graph.operators = [op]
    graph.inputs, graph.outputs = np.array(list(inputs), np.int32), op.outputs
    model.signatureDefs = model.metadata = None
    drop_unused(model)
    return pack_shared(model)
