"""The section of the report on a network that was pruned or whose weights share few values."""

from mobilenet_tf.deployment.report import charts
from mobilenet_tf.deployment.report.format import count, decimal, percent, shape
from mobilenet_tf.deployment.report.markup import chart, folded, section, table
from mobilenet_tf.runs.compression import Kernel
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.task_sections import Chart

_COLUMNS = ("kernel", "shape", "zeros", "values", "entropy, bits", "bytes", "stored as", "bytes")
_LEFT = 2


def compression(result: Result) -> str:
    """Return what the kernels hold and how few bytes they need; nothing for other networks."""
    kernels = result.compression.kernels
    if not kernels:
        return ""
    plain, stored = (sum(sizes) for sizes in zip(*map(_sizes, kernels), strict=True))
    rows = [
        (
            one.op,
            shape(one.shape),
            percent(one.zeros),
            count(one.values),
            decimal(one.entropy, 2),
            count(one.bytes),
            one.stored_as,
            count(one.stored_bytes),
        )
        for one in kernels
    ]
    rows.append(("all", "", "", "", "", count(plain), "", count(stored)))
    drawn = Chart(
        title="Bytes",
        x="kernel, from input to output",
        y="bytes",
        lines={
            "8 bits per weight": _points([one.bytes for one in kernels]),
            "stored": _points([one.stored_bytes for one in kernels]),
        },
    )
    note = (
        f"Stages after float training: {', '.join(result.compression.stages)}. A kernel is stored "
        "in the best form for TensorFlow Lite Micro; `export --target mcu --compress auto` uses it "
        "where the memory has room to decode."
    )
    return section(
        "Weights",
        note,
        chart(charts.line_chart(drawn, "kernels"), f"{count(plain)} bytes, stored {count(stored)}"),
        folded("All kernels", table(_COLUMNS, rows, left=_LEFT, strong=len(kernels))),
    )


def _sizes(kernel: Kernel) -> tuple[int, int]:
    return kernel.bytes, kernel.stored_bytes


def _points(sizes: list[int]) -> tuple[tuple[float, float], ...]:
    return tuple((float(place), float(size)) for place, size in enumerate(sizes, 1))
