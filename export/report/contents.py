"""The parts of the report on the `.tflite`: what is in it, how to feed it, its blocks."""

from mobilenet_tf.deployment.report import plots, wording
from mobilenet_tf.deployment.report.markup import (
    drawing,
    esc,
    facts,
    folded,
    paragraph,
    section,
    table,
)
from mobilenet_tf.deployment.report.snippets import feeding
from mobilenet_tf.deployment.report.wording import count, decimal, measured, percent, plural


def contents(result: dict) -> str:
    tflite, model = result.get("tflite", {}), result.get("model", {})
    ptq = result.get("ptq", {}).get("bytes")
    rows = [
        ("parameters", count(model.get("parameters"))),
        ("multiply-adds per picture", count(model.get("macs"))),
    ]
    peak = tflite.get("peak_activation_bytes", model.get("peak_activation_bytes"))
    rows.append(("peak of activations", f"{count(peak)} bytes" if measured(peak) else count(peak)))
    if not tflite:
        return section("The network", "", facts(rows))
    left_out = ", ".join(map(str, tflite.get("left_out") or ())) or "nothing"
    rows += [
        ("int8 file", f"{count(tflite.get('bytes'))} bytes"),
        ("plain PTQ, for comparison", f"{count(ptq)} bytes" if measured(ptq) else count(ptq)),
        ("float tensors", count(tflite.get("float_tensors"))),
        ("XNNPACK pieces", count(tflite.get("partitions"))),
        ("left to plain kernels", left_out),
        ("oldest runtime", tflite.get("min_runtime", wording.NOT_MEASURED)),
    ]
    ops = sorted((tflite.get("ops") or {}).items(), key=lambda item: (-item[1], item[0]))
    total = sum(number for _, number in ops)
    listed = table(("operator", "count"), [*ops, ("all", total)], strong=len(ops)) if ops else ""
    columns = f'<div class="columns"><div>{facts(rows)}</div><div>{listed}</div></div>'
    return section(
        "The file", "What a runtime, or a microcontroller's resolver, must have.", columns
    )


def ends(result: dict, file: str) -> str:
    tflite, guide = result.get("tflite", {}), feeding(result, file)
    rows = []
    for end in ("input", "output"):
        if tensor := tflite.get(end):
            shape = " × ".join(map(str, tensor.get("shape", ())))  # noqa: RUF001
            scale, zero = tensor.get("scale"), tensor.get("zero_point")
            grid = (f"{scale:.9g}", str(zero)) if measured(scale) else ("–", "–")  # noqa: RUF001
            rows.append((end, tensor.get("dtype"), shape, *grid))
    parts = []
    if rows:
        parts.append(table(("", "type", "shape", "scale", "zero point"), rows, left=3))
    if guide:
        parts += [paragraph(guide[0]), f"<pre><code>{_code(guide[1])}</code></pre>"]
    note = "A tensor's real value is (integer − zero point) × scale."  # noqa: RUF001
    return section("Input and output", note, *parts)


def _code(text: str) -> str:
    """Escaped line by line, so that line ends stay."""
    return "\n".join(map(esc, text.rstrip("\n").split("\n")))


def depth(result: dict) -> str:
    blocks = result.get("blocks") or []
    known = [block for block in blocks if measured(block.get("sqnr_db"))]
    if not known:
        return ""
    worst = wording.worst_block(result)
    level = next((b["sqnr_db"] for b in known if str(b.get("name")) == worst), None)
    text = f"Most is lost in {worst}: {decimal(level)} dB." if worst else ""
    half = sum(measured(b.get("range_used")) and b["range_used"] < 0.5 for b in blocks)
    if half:
        text += (
            f" {plural(half, 'block')} of {len(blocks)} use less than half of the integer range."
        )
    rows = [
        (
            block.get("name"),
            decimal(block.get("sqnr_db")),
            count(block.get("max_lsb")),
            percent(block.get("within_1_lsb")),
            f"{decimal(block.get('weight_low'), 3)} … {decimal(block.get('weight_high'), 3)}",
            percent(block.get("range_used")),
        )
        for block in blocks
    ]
    columns = ("block", "dB", "largest LSB", "within 1 LSB", "weights", "range used")
    strong = next((i for i, b in enumerate(blocks) if str(b.get("name")) == worst), None)
    return section(
        "Inside the network",
        "Signal-to-noise of each block, integer against float, from the input to the output. "
        "Higher is better; 6 dB are one bit.",
        paragraph(text.strip()) if text else "",
        drawing(plots.block_plot(blocks, worst), ""),
        folded(f"All {plural(len(blocks), 'block')}", table(columns, rows, strong=strong)),
    )
