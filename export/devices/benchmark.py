"""How fast `.tflite` files are, so that the ratio between them holds on a noisy machine."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.core.child import run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import processor
from mobilenet_tf.deployment.devices.cpu import runner
from mobilenet_tf.deployment.devices.timing import compared, interleaved
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.parse import OP_NAMES, op_codes, parse_model, read_file
from mobilenet_tf.deployment.tflite.shrink import drop_unused

_PROFILE_ROUNDS = 15
# Run in a process of its own: high-water mark of memory before and after one inference, in KiB.
_MEMORY = """
import json, re, sys
from mobilenet_tf.deployment.devices.cpu import runner
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
data = open(sys.argv[1], "rb").read()
before = peak()
runner(data, int(sys.argv[2]))()
print(json.dumps([before, peak()]))
"""


def benchmark(
    files: Sequence[Path],
    threads: Sequence[int] = (1,),
    rounds: int = 50,
    profile: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict:
    """Measure files side by side: one call of each in turn, round after round, after warm-up.

    Args:
        files: `.tflite`, run on XNNPACK as phones do.
        threads: of the CPU; every file is measured with each.
        rounds: values per file.
        profile: also every operator alone.

    Returns:
        processor; files: per file its name, bytes, partitions, left_out, peak_memory_bytes
        (beyond what the runtime takes, None where the system does not say), threads (count ->
        median_ms, p10_ms, p90_ms, ratio to the first file, of the medians per round), and ops:
        operator name -> count, ms (each measured alone, first count of threads; without the
        hand-overs between them).

    Raises:
        UserError: a file cannot be run, a count is below 1, or a file is named twice.
    """
    check_request(files, threads, rounds)
    contents = {str(path): read_file(path)[0] for path in files}
    facts = {name: inspect(name) for name in contents}
    for found in facts.values():
        if found["delegate"]["problem"]:
            raise UserError(found["delegate"]["problem"])
    runs = {
        (name, count): runner(content, count)
        for name, content in contents.items()
        for count in threads
    }
    times = interleaved(runs, rounds, progress)
    results = [
        {
            "file": name,
            "bytes": len(content),
            "partitions": facts[name]["delegate"]["partitions"],
            "left_out": facts[name]["delegate"]["left_out"],
            "peak_memory_bytes": peak_memory(name, threads[0]),
            "threads": compared(times, name, str(files[0]), threads),
            "ops": profile_ops(content, threads[0]) if profile else {},
        }
        for name, content in contents.items()
    ]
    return {"processor": processor(), "rounds": rounds, "files": results}


def check_request(files: Sequence[Path], threads: Sequence[int], rounds: int) -> None:
    """Raises UserError for what cannot be measured."""
    if not files:
        raise UserError("benchmark needs at least one .tflite file.")
    for what, values in (("threads", threads), ("rounds", [rounds])):
        if min(values) < 1:
            raise UserError(f"{what} is {min(values)}; it must be at least 1.")
    if len(set(map(str, files))) < len(files):
        raise UserError("A file is named twice; its ratio to itself would be 1.")


def peak_memory(path: str, threads: int) -> int | None:
    """Bytes that loading and running a file adds to a process's high-water mark."""
    done = run_python("-c", _MEMORY, path, str(threads), text=True)
    if done.returncode:
        return None  # no /proc, as on macOS and Windows
    before, after = json.loads(done.stdout.strip().splitlines()[-1])
    return (after - before) * 1024


def profile_ops(content: bytes, threads: int = 1) -> dict[str, dict]:
    """Operator name -> count and ms: every operator as a file of its own, all in turns."""
    model = parse_model(content)
    codes = op_codes(model)
    names = [OP_NAMES[codes[op.opcodeIndex]] for op in model.subgraphs[0].operators]
    runs = {index: runner(only(content, index), threads) for index in range(len(names))}
    times = interleaved(runs, _PROFILE_ROUNDS)
    found: dict[str, dict] = {}
    for index, name in enumerate(names):
        entry = found.setdefault(name, {"count": 0, "ms": 0.0})
        entry["count"] += 1
        entry["ms"] += float(np.median(times[index]))
    return dict(sorted(found.items(), key=lambda item: -item[1]["ms"]))


def only(content: bytes, index: int) -> bytes:
    """The file with one of its operators; what the operator read from others is its input."""
    model = parse_model(content)
    graph = model.subgraphs[0]
    op = graph.operators[index]
    constant = [
        model.buffers[tensor.buffer].data is not None and len(model.buffers[tensor.buffer].data) > 0
        for tensor in graph.tensors
    ]
    taken = dict.fromkeys(int(i) for i in op.inputs if i >= 0 and not constant[i])
    graph.operators = [op]
    graph.inputs, graph.outputs = np.array(list(taken), np.int32), op.outputs
    model.signatureDefs = model.metadata = None
    drop_unused(model)
    return pack_shared(model)
