"""What is in a `.tflite`: operators, weights, work, memory, and what XNNPACK leaves out of it.

Partitions are read from the interpreter after it has allocated its tensors: it then lists one
node DELEGATE for each piece that XNNPACK took, behind the file's own nodes. A delegate node names
the tensors it takes and gives, so walking back from what it gives to what it takes finds the
operators inside. The figure is that of this machine's CPU.
"""

from collections import Counter
from math import prod
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.deployment.tflite.flatbuffer import OP_NAMES, op_codes
from mobilenet_tf.deployment.tflite.interpreter import (
    load_interpreter,
    parse_model,
    read_file,
    tensor_info,
)
from mobilenet_tf.deployment.tflite.metadata import read_metadata, required_runtime

# Operator -> (kernel's axis of output channels, its axes that are summed over for one output).
_WEIGHTED = {
    "CONV_2D": (0, (1, 2, 3)),
    "DEPTHWISE_CONV_2D": (3, (1, 2)),
    "FULLY_CONNECTED": (0, (1,)),
}
_BITS = {"int4": 4, "int2": 2, "bool": 8}


class _Graph:
    """The main subgraph with the lookups that the figures below share."""

    def __init__(self, model: schema.ModelT):
        graph = model.subgraphs[0]
        self.model, self.operators, self.tensors = model, graph.operators, graph.tensors
        self.inputs, self.outputs = set(map(int, graph.inputs)), set(map(int, graph.outputs))
        self.info = [tensor_info(tensor) for tensor in self.tensors]
        codes = op_codes(model)
        self.names = [self._name(op, codes[op.opcodeIndex]) for op in self.operators]
        self.takes = [[int(i) for i in op.inputs if i >= 0] for op in self.operators]
        self.gives = [[int(i) for i in op.outputs if i >= 0] for op in self.operators]
        self.constants = {i for i in range(len(self.tensors)) if self.stored(i) is not None}
        # Half-precision files widen their weights with DEQUANTIZE; the result is still a weight.
        self.widened = {
            out
            for takes, gives in zip(self.takes, self.gives, strict=True)
            if takes and self.constants.issuperset(takes)
            for out in gives
        }

    def _name(self, op, number: int) -> str:
        if number == schema.BuiltinOperator.CUSTOM:
            custom = self.model.operatorCodes[op.opcodeIndex].customCode
            return (custom or b"CUSTOM").decode("utf-8", "replace")
        return OP_NAMES.get(number, f"OPERATOR_{number}")

    def stored(self, tensor: int) -> np.ndarray | None:
        """The bytes of a constant; None for an activation."""
        data = self.model.buffers[self.tensors[tensor].buffer].data
        return None if data is None or not len(data) else data

    def elements(self, tensor: int) -> int:
        return prod(self.info[tensor].shape)

    def size(self, tensor: int) -> int:
        """Bytes of an activation."""
        dtype = self.info[tensor].dtype
        bits = _BITS.get(dtype) or int("".join(filter(str.isdigit, dtype)) or 0)
        return (self.elements(tensor) * bits + 7) // 8


def inspect(path: str | Path | bytes) -> dict:
    """All figures of one file, ready for JSON.

    Returns:
        file, bytes, weight_bytes, required_runtime;
        ops: name -> count, version;
        tensors: dtype -> number of tensors in use; float_tensors: those of any float type;
        quantize_ops: QUANTIZE and DEQUANTIZE at the boundary (they take an input or give an
        output of the graph), inside, and on weights (half-precision files);
        parameters: elements of weights and biases; multiply_adds: of one run, None if a shape
        is not fixed; peak_activation_bytes: the most that inputs and outputs of operators
        need at one time, nothing computed in place, None if a shape is not fixed;
        inputs, outputs: name, dtype, shape, scale, zero_point;
        delegate: name, partitions, left_out (operator -> count), problem (why the runtime refuses
        the file, else None);
        layers: per weight tensor its op, name, shape, dtype, per_channel, and channel_max, the
        min, median and max over channels of the largest |integer| (None if not quantized);
        metadata: see `Metadata`, with the labels.

    Raises:
        UserError: the file is absent, no `.tflite`, cut short or damaged.
    """
    data, called = read_file(path)
    model = parse_model(data, called)
    graph = _Graph(model)
    used = graph.inputs | graph.outputs
    used = used.union(*map(set, graph.takes), *map(set, graph.gives))
    dtypes = Counter(graph.info[i].dtype for i in sorted(used))
    weights = _weights(graph)
    fixed = all(side > 0 for i in used for side in graph.info[i].shape)
    ends = {"inputs": model.subgraphs[0].inputs, "outputs": model.subgraphs[0].outputs}
    return {
        "file": "" if isinstance(path, bytes) else Path(path).name,
        "bytes": len(data),
        # Equal weights may share a buffer.
        "weight_bytes": sum(
            len(model.buffers[b].data) for b in {graph.tensors[i].buffer for i in weights}
        ),
        "required_runtime": required_runtime(data),
        "ops": _ops(graph),
        "tensors": dict(sorted(dtypes.items())),
        "float_tensors": sum(n for dtype, n in dtypes.items() if "float" in dtype),
        "quantize_ops": _quantize_ops(graph),
        "parameters": sum(graph.elements(i) for i in weights),
        "multiply_adds": _multiply_adds(graph) if fixed else None,
        "peak_activation_bytes": _peak_activations(graph) if fixed else None,
        **{end: [_tensor(graph.info[i]) for i in which] for end, which in ends.items()},
        "delegate": _delegate(data, called, graph),
        "layers": _layers(graph),
        "metadata": read_metadata(data, called).to_dict(),
    }


def _tensor(info) -> dict:
    return vars(info) | {"shape": list(info.shape)}


def _ops(graph: _Graph) -> dict:
    versions = {}
    for op, name in zip(graph.operators, graph.names, strict=True):
        version = graph.model.operatorCodes[op.opcodeIndex].version
        versions[name] = max(versions.get(name, 0), version)
    counts = Counter(graph.names)
    return {name: {"count": counts[name], "version": versions[name]} for name in sorted(counts)}


def _weights(graph: _Graph) -> list[int]:
    """Constant tensors that were learned; axes, shapes and paddings are bare integers."""
    used = {i for takes in graph.takes for i in takes} & graph.constants
    bare = {i for i in used if graph.info[i].dtype in ("int32", "int64", "bool")}
    scales = {i for i in bare if getattr(graph.tensors[i].quantization, "scale", None) is not None}
    return sorted(used - bare | scales)


def _quantize_ops(graph: _Graph) -> dict:
    count = {"boundary": 0, "inside": 0, "weights": 0}
    for name, takes, gives in zip(graph.names, graph.takes, graph.gives, strict=True):
        if name in ("QUANTIZE", "DEQUANTIZE"):
            at_end = graph.inputs.intersection(takes) or graph.outputs.intersection(gives)
            widens = graph.widened.issuperset(gives)
            count["weights" if widens else "boundary" if at_end else "inside"] += 1
    return count


def _multiply_adds(graph: _Graph) -> int:
    total = 0
    for name, takes, gives in zip(graph.names, graph.takes, graph.gives, strict=True):
        if name in _WEIGHTED:
            kernel = graph.info[takes[1]].shape
            total += graph.elements(gives[0]) * prod(kernel[axis] for axis in _WEIGHTED[name][1])
    return total


def _peak_activations(graph: _Graph) -> int:
    """A tensor lives from the operator that gives it to the last one that takes it."""
    last = len(graph.operators) - 1
    born, dies = dict.fromkeys(graph.inputs, 0), dict.fromkeys(graph.inputs, 0)
    for step, (takes, gives) in enumerate(zip(graph.takes, graph.gives, strict=True)):
        born |= dict.fromkeys(gives, step)
        dies |= dict.fromkeys((*takes, *gives), step)
    dies |= dict.fromkeys(graph.outputs, last)
    activations = born.keys() - graph.constants - graph.widened
    return max(
        (
            sum(graph.size(i) for i in activations if born[i] <= step <= dies[i])
            for step in range(last + 1)
        ),
        default=0,
    )


def _delegate(data: bytes, called: str, graph: _Graph) -> dict:
    result = {"name": "XNNPACK", "partitions": 0, "left_out": {}, "problem": None}
    try:
        nodes = load_interpreter(data, called)._get_ops_details()
    except ValueError as error:  # UserError is one
        return result | {"partitions": None, "left_out": None, "problem": str(error)}
    pieces = [node for node in nodes if node["op_name"] == "DELEGATE"]
    maker = {i: step for step, gives in enumerate(graph.gives) for i in gives}
    taken = set()
    for piece in pieces:
        fed = {int(i) for i in piece["inputs"]}
        pending = [int(i) for i in piece["outputs"]]
        while pending:
            step = maker.get(pending.pop())
            if step is not None and step not in taken:
                taken.add(step)
                pending += [i for i in graph.takes[step] if i not in fed]
    left_out = Counter(name for step, name in enumerate(graph.names) if step not in taken)
    return result | {"partitions": len(pieces), "left_out": dict(sorted(left_out.items()))}


def _layers(graph: _Graph) -> list[dict]:
    layers = []
    for name, takes in zip(graph.names, graph.takes, strict=True):
        if name not in _WEIGHTED or takes[1] not in graph.constants:
            continue
        info, tensor = graph.info[takes[1]], graph.tensors[takes[1]]
        scale = getattr(tensor.quantization, "scale", None)
        layer = {"op": name, "name": info.name, "shape": list(info.shape), "dtype": info.dtype}
        layer |= {"per_channel": scale is not None and len(scale) > 1, "channel_max": None}
        stored = graph.stored(takes[1])
        # A sparse kernel stores fewer values than its shape has.
        if info.dtype in ("int8", "uint8") and len(stored) == prod(info.shape):
            kernel = stored.view(info.dtype).reshape(info.shape).astype(np.int32)
            # uint8 weights of old files are centred on their zero point.
            distance = np.abs(kernel - (info.zero_point or 0))
            axes = tuple(a for a in range(kernel.ndim) if a != _WEIGHTED[name][0])
            largest = distance.max(axis=axes)
            layer["channel_max"] = {
                "min": int(largest.min()),
                "median": float(np.median(largest)),
                "max": int(largest.max()),
            }
        layers.append(layer)
    return layers


def format_inspection(figures: dict):
    """The figures of `inspect` as tables for a terminal, a rich renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    def table(title: str, columns: list[str], rows: list[tuple]) -> Table:
        result = Table(title=title, title_justify="left", show_header=any(columns))
        for index, column in enumerate(columns):
            result.add_column(column, justify="right" if index and column else "left")
        for row in rows:
            # Text, not markup: a name may hold brackets.
            result.add_row(*(Text(str(cell)) for cell in row))
        return result

    delegate, quantize = figures["delegate"], figures["quantize_ops"]
    left_out = ", ".join(f"{count} {name}" for name, count in (delegate["left_out"] or {}).items())
    labels = figures["metadata"]["labels"]
    summary = [
        ("file", f"{figures['bytes']:,} bytes, {figures['weight_bytes']:,} of them weights"),
        ("needs runtime", figures["required_runtime"]),
        ("parameters", f"{figures['parameters']:,}"),
        ("multiply-adds", _thousands(figures["multiply_adds"])),
        ("peak activations", f"{_thousands(figures['peak_activation_bytes'])} bytes"),
        ("tensors", ", ".join(f"{n} {dtype}" for dtype, n in figures["tensors"].items())),
        (
            "QUANTIZE, DEQUANTIZE",
            f"{quantize['boundary']} at the ends, {quantize['inside']} inside",
        ),
        (f"{delegate['name']} partitions", delegate["problem"] or delegate["partitions"]),
        ("left to plain kernels", "-" if delegate["problem"] else left_out or "nothing"),
        ("labels", f"{len(labels)}: {', '.join(labels[:3])} ..." if labels else "none"),
    ]
    for end in ("inputs", "outputs"):
        for tensor in figures[end]:
            grid = "" if tensor["scale"] is None else f", {tensor['scale']:.6g} per step"
            zero = "" if tensor["scale"] is None else f", zero point {tensor['zero_point']}"
            shape = " x ".join(map(str, tensor["shape"]))
            summary.append((end[:-1], f"{tensor['dtype']} {shape}{grid}{zero}"))
    ops = [(name, op["count"], op["version"]) for name, op in figures["ops"].items()]
    layers, names = [], _short([layer["name"] for layer in figures["layers"]])
    for layer, name in zip(figures["layers"], names, strict=True):
        used = layer["channel_max"]
        spread = "-" if used is None else " / ".join(f"{used[k] / 127:.0%}" for k in used)
        ranges = "per channel" if layer["per_channel"] else "per tensor"
        layers.append((name, layer["dtype"], "-" if used is None else ranges, spread))
    columns = ["weights", "dtype", "ranges", "share used: min / median / max"]
    return Group(
        table(figures["file"], ["", ""], summary),
        table("Operators", ["operator", "count", "version"], ops),
        table("Layers", columns, layers),
    )


def _short(names: list[str]) -> list[str]:
    """Without the model's name, if all begin with it, and without what the converter joined on."""
    own = [name.split(";")[0] for name in names]
    if len({name.partition("/")[0] for name in own}) > 1:
        return own
    return [name.partition("/")[2] or name for name in own]


def _thousands(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
