"""The sections of the report on the `.tflite`: its content, inputs and outputs, its blocks."""

from mobilenet_tf.deployment.report import charts
from mobilenet_tf.deployment.report.format import (
    NOT_MEASURED,
    count,
    decimal,
    measured,
    percent,
    plural,
    shape,
)
from mobilenet_tf.deployment.report.markup import (
    chart,
    esc,
    facts,
    folded,
    paragraph,
    section,
    table,
)
from mobilenet_tf.deployment.report.snippets import expectation, inference_code
from mobilenet_tf.runs.exports import Tensor
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.sections import Block

TENSOR_COLUMNS = ("", "type", "shape", "scale", "zero point")


def content(result: Result) -> str:
    """Return the section on what the file contains or, before there is a file, on the network."""
    file, model = result.tflite, result.model
    rows = [
        ("parameters", count(model.parameters)),
        ("multiply-adds per image", count(model.macs)),
        ("peak activation memory", _bytes(result.peak_activation_bytes)),
    ]
    if not file:
        return section("The network", "", facts(rows))
    rows += [
        ("int8 file", _bytes(file.bytes)),
        ("the same, compressed for download", _bytes(file.download_bytes)),
        ("plain PTQ, for comparison", _bytes(result.ptq.bytes)),
        ("float tensors", count(file.float_tensors)),
        ("XNNPACK partitions", count(file.partitions)),
        ("operators outside XNNPACK", ", ".join(file.left_out or ()) or "none"),
        ("oldest TFLite runtime", file.min_runtime or NOT_MEASURED),
    ]
    if result.source.converter_reason:
        rows.append(("quantized by TensorFlow's converter", result.source.converter_reason))
    ops = sorted((file.ops or {}).items(), key=lambda item: (-item[1], item[0]))
    total = sum(number for _, number in ops)
    listed = table(("operator", "count"), [*ops, ("all", total)], strong=len(ops)) if ops else ""
    columns = f'<div class="columns"><div>{facts(rows)}</div><div>{listed}</div></div>'
    note = "A runtime, or the resolver on a microcontroller, must provide these operators."
    return section("The file", note, columns)


def _bytes(number: int | None) -> str:
    return NOT_MEASURED if number is None else f"{count(number)} bytes"


def tensor_rows(result: Result, absent: str) -> list[tuple[str, ...]]:
    """Return the rows of `TENSOR_COLUMNS` for input and outputs.

    Args:
        result: The result of the run.
        absent: Text for the scale and the zero point of float tensors.
    """
    return [
        (name, tensor.dtype, shape(tensor.shape), *_grid(tensor, absent))
        for name, tensor in result.tflite.tensors.items()
    ]


def _grid(tensor: Tensor, absent: str) -> tuple[str, str]:
    if tensor.scale is None:
        return absent, absent
    return f"{tensor.scale:.9g}", str(tensor.zero_point)


def inputs_and_outputs(result: Result, file: str) -> str:
    """Return the section on the tensors of a `.tflite` with that name, and how to run it."""
    rows, code = tensor_rows(result, "–"), inference_code(result, file)  # noqa: RUF001
    parts = []
    if rows:
        parts.append(table(TENSOR_COLUMNS, rows, left=3))
    if expected := expectation(result):
        parts.append(paragraph(expected))
    if code:
        parts += [paragraph(code.prepared), f"<pre><code>{_escaped_code(code.code)}</code></pre>"]
    note = "The real value of a tensor is (integer − zero point) × scale."  # noqa: RUF001
    return section("Input and output", note, *parts)


def _escaped_code(text: str) -> str:
    """Return code as HTML, escaped line by line because `esc` replaces line breaks."""
    return "\n".join(map(esc, text.rstrip("\n").split("\n")))


def _weights(block: Block) -> str:
    """Return the range of the block's weights; most blocks have none."""
    if block.weight_low is None or block.weight_high is None:
        return "–"  # noqa: RUF001
    return f"{decimal(block.weight_low, 3)} … {decimal(block.weight_high, 3)}"


def blocks(result: Result) -> str:
    """Return the section on the loss of precision inside the network."""
    known = {block.name: block.sqnr_db for block in result.blocks if block.sqnr_db is not None}
    if not known:
        return ""
    worst, text = result.worst_block, ""
    if worst is not None:
        text = f"The block with the lowest ratio is {worst}: {decimal(known.get(worst))} dB."
    half = sum(measured(block.range_used) and block.range_used < 0.5 for block in result.blocks)
    if half:
        verb = "uses" if half == 1 else "use"
        text += (
            f" {plural(half, 'block')} of {len(result.blocks)} {verb} less than half of the "
            "integer range."
        )
    rows = [
        (
            block.name,
            decimal(block.sqnr_db),
            count(block.max_lsb),
            percent(block.within_1_lsb),
            _weights(block),
            percent(block.range_used),
        )
        for block in result.blocks
    ]
    columns = ("block", "dB", "largest LSB", "within 1 LSB", "weights", "range used")
    strong = next((i for i, block in enumerate(result.blocks) if block.name == worst), None)
    return section(
        "Inside the network",
        "Signal-to-quantization-noise ratio (SQNR) of each block, int8 compared with float, from "
        "the input to the output. Higher is better; 6 dB correspond to one bit.",
        paragraph(text.strip()) if text else "",
        chart(charts.block_chart(result.blocks, worst), ""),
        folded(f"All {plural(len(rows), 'block')}", table(columns, rows, strong=strong)),
    )
