"""Describe a `.tflite`: operators, weights, work, memory, and its partitions on XNNPACK.

Partitions are read from the interpreter after it has allocated its tensors. It then lists a node
DELEGATE for each partition that XNNPACK executes, after the file's own nodes. Such a node has the
partition's inputs and outputs, so walking back from its outputs to its inputs finds the operators
inside. Partitions depend on the CPU of the machine that inspects the file.
"""

import zlib
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.child import ChildCrash
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import finite
from mobilenet_tf.deployment.tflite.compressed.decode_operator import DECODE, stored_tensors
from mobilenet_tf.deployment.tflite.guard import load_interpreter
from mobilenet_tf.deployment.tflite.kernels import plain_kernel, range_facts, storage_facts
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, peak_size, tensor_bytes
from mobilenet_tf.deployment.tflite.metadata import read_metadata, required_runtime
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model, read_file
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo, tensor_info

# Operator -> (its kernel's axis of output channels, the axes over which one output sums).
_WEIGHTED = {
    "CONV_2D": (0, (1, 2, 3)),
    "DEPTHWISE_CONV_2D": (3, (1, 2)),
    "FULLY_CONNECTED": (0, (1,)),
}
_RANK = {"CONV_2D": 4, "DEPTHWISE_CONV_2D": 4, "FULLY_CONNECTED": 2}  # of the kernel
_COMPARED = 8  # bytes of kernels that are looked at, per byte of the file


class _Graph:
    """The main subgraph with the lookups that the functions below share.

    Raises:
        UserError: An operator has too few inputs or outputs.
    """

    def __init__(self, model: schema.ModelT, name: str):
        graph = model.subgraphs[0]
        self.model, self.operators, self.tensors = model, graph.operators, graph.tensors
        self.inputs, self.outputs = set(map(int, graph.inputs)), set(map(int, graph.outputs))
        self.info = [tensor_info(tensor) for tensor in self.tensors]
        names = op_names(model)
        self.names = [names[op.opcodeIndex] for op in self.operators]
        self.reads = [[int(i) for i in op.inputs if i >= 0] for op in self.operators]
        self.writes = [[int(i) for i in op.outputs if i >= 0] for op in self.operators]
        self.constants = {i for i in range(len(self.tensors)) if self.stored(i) is not None}
        # Files in half precision convert their weights with DEQUANTIZE; the results are weights.
        # What DECODE restores is in memory only while it is needed.
        self.dequantized_weights = {
            output
            for kind, reads, writes in zip(self.names, self.reads, self.writes, strict=True)
            if reads and self.constants.issuperset(reads) and kind != DECODE
            for output in writes
        }
        self.restored = dict(stored_tensors(model))

        # The kernel of each operator that has one; None for the others.
        self.kernels = [self._kernel(step, name) for step in range(len(self.operators))]

    def _kernel(self, step: int, name: str) -> int | None:
        """Return the number of an operator's kernel, if it is one of `_WEIGHTED`."""
        op, kind = self.operators[step], self.names[step]
        if kind not in _WEIGHTED:
            return None
        if len(op.inputs) < 2 or min(op.inputs[:2]) < 0 or not self.writes[step]:
            raise UserError(
                f"{name}: operator {step}, {kind}, has {len(self.reads[step])} inputs and "
                f"{len(self.writes[step])} outputs; it needs an input, a kernel and an output."
            )
        kernel = int(op.inputs[1])
        # Inside a control flow, shapes may be unknown until the file runs.
        return kernel if len(self.info[kernel].shape) == _RANK[kind] else None

    def stored(self, tensor: int) -> np.ndarray | None:
        """Return the bytes of a constant; None for an activation."""
        data = self.model.buffers[self.tensors[tensor].buffer].data
        return None if data is None or not len(data) else data

    def elements(self, tensor: int) -> int:
        """Return the number of values in a tensor."""
        return prod(self.info[tensor].shape)


def inspect(source: str | Path | bytes) -> dict[str, Any]:
    """Return everything about one file, ready for JSON.

    Returns:
        file, bytes, download_bytes (compressed by deflate, as apps are), weight_bytes,
        required_runtime;
        ops: name -> count, version;
        tensors: dtype -> number of tensors in use; float_tensors: those of any float type;
        quantize_ops: number of QUANTIZE and DEQUANTIZE at the boundary (next to an input or an
        output of the graph), inside, and on weights (files in half precision);
        parameters: elements of weights and biases; multiply_adds: of one run, None if a shape
        is not fixed; peak_activation_bytes: the most that inputs and outputs of operators
        need at one time if no operator works in place, None if a shape is not fixed;
        inputs, outputs: name, dtype, shape, scale, zero_point;
        delegate: name, partitions, left_out (operator -> count), problem (why the runtime rejects
        the file, else None);
        layers: for each kernel its op, name, shape, dtype, per_channel, and channel_max, the
        min, median and max over channels of the largest |integer - zero point| (None if not
        quantized), and channel_limit, the largest that the dtype has room for; stored_as,
        stored_bytes, ratio and entropy, see `storage_facts`;
        metadata: see `Metadata`, with the labels.

    Raises:
        UserError: The file is absent, not a `.tflite`, cut short or damaged, or LiteRT crashes on
            it.
    """
    content, name = read_file(source)
    model = parse_model(content, name)
    graph = _Graph(model, name)
    metadata = read_metadata(content, name).to_dict()
    used = graph.inputs | graph.outputs
    used = used.union(*map(set, graph.reads), *map(set, graph.writes))
    dtypes = Counter(graph.info[i].dtype for i in sorted(used))
    weights = _weights(graph)
    fixed = all(side > 0 for i in used for side in graph.info[i].shape)
    main = model.subgraphs[0]
    facts = {
        "file": "" if isinstance(source, bytes) else Path(source).name,
        "bytes": len(content),
        "download_bytes": len(zlib.compress(content, 9)),
        # Equal weights may share a buffer.
        "weight_bytes": sum(
            len(model.buffers[b].data) for b in {graph.tensors[i].buffer for i in weights}
        ),
        "required_runtime": required_runtime(content, name),
        "ops": _ops(graph),
        "tensors": dict(sorted(dtypes.items())),
        "float_tensors": sum(n for dtype, n in dtypes.items() if "float" in dtype),
        "quantize_ops": _quantize_ops(graph),
        "parameters": _parameters(graph, weights),
        "multiply_adds": _multiply_adds(graph) if fixed else None,
        "peak_activation_bytes": _peak_activation_bytes(graph) if fixed else None,
        "inputs": [_tensor(graph.info[i]) for i in main.inputs],
        "outputs": [_tensor(graph.info[i]) for i in main.outputs],
        "delegate": _delegate(content, name, graph),
        "layers": _layers(graph, len(content)),
        "metadata": metadata,
    }
    return finite(facts)


def _tensor(info: TensorInfo) -> dict[str, Any]:
    return vars(info) | {"shape": list(info.shape)}


def _ops(graph: _Graph) -> dict[str, dict[str, int]]:
    versions: dict[str, int] = {}
    for op, name in zip(graph.operators, graph.names, strict=True):
        version = graph.model.operatorCodes[op.opcodeIndex].version
        versions[name] = max(versions.get(name, 0), version)
    counts = Counter(graph.names)
    return {name: {"count": counts[name], "version": versions[name]} for name in sorted(counts)}


def _weights(graph: _Graph) -> list[int]:
    """The learned constants; axes, shapes and paddings are integers without a scale."""
    used = {i for reads in graph.reads for i in reads} & graph.constants
    integers = {i for i in used if graph.info[i].dtype in ("int32", "int64", "bool")}
    scaled = {
        i for i in integers if getattr(graph.tensors[i].quantization, "scale", None) is not None
    }
    return sorted(used - integers | scaled)


def _parameters(graph: _Graph, weights: list[int]) -> int:
    encoded, decoded = set[int](), set[int]()
    for name, reads, writes in zip(graph.names, graph.reads, graph.writes, strict=True):
        if name == DECODE:
            encoded.update(reads)
            decoded.update(writes)
    return sum(graph.elements(i) for i in {*weights, *decoded} - encoded)


def _quantize_ops(graph: _Graph) -> dict[str, int]:
    count = {"boundary": 0, "inside": 0, "weights": 0}
    for name, reads, writes in zip(graph.names, graph.reads, graph.writes, strict=True):
        if name in ("QUANTIZE", "DEQUANTIZE"):
            at_boundary = graph.inputs.intersection(reads) or graph.outputs.intersection(writes)
            on_weights = graph.dequantized_weights.issuperset(writes)
            count["weights" if on_weights else "boundary" if at_boundary else "inside"] += 1
    return count


def _multiply_adds(graph: _Graph) -> int:
    total = 0
    for name, kernel, writes in zip(graph.names, graph.kernels, graph.writes, strict=True):
        if kernel is not None:
            shape = graph.info[kernel].shape
            total += graph.elements(writes[0]) * prod(shape[axis] for axis in _WEIGHTED[name][1])
    return total


def _peak_activation_bytes(graph: _Graph) -> int:
    weights = graph.constants | graph.dequantized_weights
    return peak_size(life for i, life in lifetimes(graph.model).items() if i not in weights)


def _delegate(content: bytes, name: str, graph: _Graph) -> dict[str, Any]:
    result = {"name": "XNNPACK", "partitions": 0, "left_out": {}, "problem": None}
    try:
        nodes = load_interpreter(content, name)._get_ops_details()
    except ChildCrash:
        raise
    except UserError as error:
        return result | {"partitions": None, "left_out": None, "problem": str(error)}
    partitions = [node for node in nodes if node["op_name"] == "DELEGATE"]
    writer = {i: step for step, writes in enumerate(graph.writes) for i in writes}
    delegated: set[int] = set()
    for partition in partitions:
        inputs = {int(i) for i in partition["inputs"]}
        pending = [int(i) for i in partition["outputs"]]
        while pending:
            step = writer.get(pending.pop())
            if step is not None and step not in delegated:
                delegated.add(step)
                pending += [i for i in graph.reads[step] if i not in inputs]
    left_out = Counter(op for step, op in enumerate(graph.names) if step not in delegated)
    return result | {"partitions": len(partitions), "left_out": dict(sorted(left_out.items()))}


def _layers(graph: _Graph, size: int) -> list[dict[str, Any]]:
    layers, left = [], _COMPARED * size
    for name, kernel in zip(graph.names, graph.kernels, strict=True):
        if kernel is None or kernel not in graph.constants | set(graph.restored):
            continue
        info, tensor = graph.info[kernel], graph.tensors[kernel]
        scale = getattr(tensor.quantization, "scale", None)
        stored = graph.restored.get(kernel) or plain_kernel(info, graph.stored(kernel))
        # Kernels may share one buffer, so that there is more to look at than the file has bytes.
        left -= stored.bytes
        layers.append(
            {
                "op": name,
                "name": info.name,
                "shape": list(info.shape),
                "dtype": info.dtype,
                "per_channel": scale is not None and len(scale) > 1,
                **range_facts(info, stored if left > 0 else None, _WEIGHTED[name][0]),
                **storage_facts(_in_8_bits(tensor), stored, looked_at=left > 0),
            }
        )
    return layers


def _in_8_bits(tensor: schema.TensorT) -> int:
    """Return the bytes of a tensor in memory; of one of 4 bits, those that it would have with 8."""
    return tensor_bytes(tensor) * (2 if tensor.type == schema.TensorType.INT4 else 1)
