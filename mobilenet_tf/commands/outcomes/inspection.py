"""What `inspect` returns."""

from typing import Any

from rich.console import Group

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import table


class Inspection(Outcome):
    """The content of a `.tflite`.

    Attributes:
        file: Its name.
        bytes: Its size.
        weight_bytes: How much of it are weights.
        required_runtime: The oldest TFLite runtime that has all operators.
        ops: Operator -> count and version.
        tensors: Type -> number of tensors.
        float_tensors: Number of tensors of a float type.
        quantize_ops: Number of conversions between number formats, by place.
        parameters: Number of parameters.
        multiply_adds, peak_activation_bytes: Costs of an inference; None if sides vary.
        inputs, outputs: Tensors to write and to read.
        delegate: What XNNPACK executes.
        layers: A row for each tensor of weights.
        metadata: Labels, and what the file says of its input.
    """

    file: str
    bytes: int
    weight_bytes: int
    required_runtime: str
    ops: dict[str, dict[str, int]]
    tensors: dict[str, int]
    float_tensors: int
    quantize_ops: dict[str, int]
    parameters: int
    multiply_adds: int | None
    peak_activation_bytes: int | None
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    delegate: dict[str, Any]
    layers: list[dict[str, Any]]
    metadata: dict[str, Any]

    def __rich__(self) -> Group:
        columns = ["weights", "dtype", "ranges", "share used: min / median / max"]
        columns += ["stored as", "bytes", "ratio", "entropy, bits"]
        ops = [(name, op["count"], op["version"]) for name, op in self.ops.items()]
        return Group(
            table(["", ""], _summary_rows(self), self.file),
            table(["operator", "count", "version"], ops, "Operators"),
            table(columns, _layer_rows(self.layers), "Layers"),
        )


def _summary_rows(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    delegate, quantize = facts["delegate"], facts["quantize_ops"]
    left_out = ", ".join(f"{count} {name}" for name, count in (delegate["left_out"] or {}).items())
    labels = facts["metadata"]["labels"]
    return [
        ("file", f"{facts['bytes']:,} bytes, {facts['weight_bytes']:,} of them weights"),
        ("compressed for download", f"{facts['download_bytes']:,} bytes"),
        ("needs runtime", facts["required_runtime"]),
        ("parameters", f"{facts['parameters']:,}"),
        ("multiply-adds", _thousands(facts["multiply_adds"])),
        ("peak activations", f"{_thousands(facts['peak_activation_bytes'])} bytes"),
        ("tensors", ", ".join(f"{n} {dtype}" for dtype, n in facts["tensors"].items())),
        (
            "QUANTIZE, DEQUANTIZE",
            f"{quantize['boundary']} at the boundary, {quantize['inside']} inside",
        ),
        (f"{delegate['name']} partitions", delegate["problem"] or delegate["partitions"]),
        ("on built-in kernels", "-" if delegate["problem"] else left_out or "nothing"),
        ("labels", f"{len(labels)}: {', '.join(labels[:3])} ..." if labels else "none"),
        *(("input", _tensor_text(tensor)) for tensor in facts["inputs"]),
        *(("output", _tensor_text(tensor)) for tensor in facts["outputs"]),
    ]


def _tensor_text(tensor: dict[str, Any]) -> str:
    text = f"{tensor['dtype']} {' x '.join(map(str, tensor['shape']))}"
    if tensor["scale"] is None:
        return text
    return f"{text}, {tensor['scale']:.6g} per step, zero point {tensor['zero_point']}"


def _layer_rows(layers: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    names = _short_names([layer["name"] for layer in layers])
    for layer, name in zip(layers, names, strict=True):
        largest = layer["channel_max"]
        ranges, shares = "-", "-"
        if largest is not None:
            ranges = "per channel" if layer["per_channel"] else "per tensor"
            limit = layer["channel_limit"]
            shares = " / ".join(f"{min(largest[key] / limit, 1):.0%}" for key in largest)
        # Files for microcontrollers have no names.
        name = name or f"{layer['op']} {' x '.join(map(str, layer['shape']))}"
        ratio, entropy = layer["ratio"], layer["entropy"]
        storage = (
            layer["stored_as"],
            f"{layer['stored_bytes']:,}",
            "-" if ratio is None else f"{ratio:.2f}",
            "-" if entropy is None else f"{entropy:.2f}",
        )
        rows.append((name, layer["dtype"], ranges, shares, *storage))
    return rows


def _short_names(names: list[str]) -> list[str]:
    """Names without the model's name, if all begin with it, and without the fused layers' names."""
    own = [name.split(";")[0] for name in names]
    if len({name.partition("/")[0] for name in own}) > 1:
        return own
    return [name.partition("/")[2] or name for name in own]


def _thousands(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
