"""The section of the report on a network that was pruned or whose weights share few values."""

from mobilenet_tf.deployment.report import charts
from mobilenet_tf.deployment.report.format import count, decimal, percent, points, shape
from mobilenet_tf.deployment.report.markup import chart, folded, paragraph, section, table
from mobilenet_tf.runs.compression import Kernel
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.task_sections import Chart

_COLUMNS = ("kernel", "shape", "zeros", "values", "entropy, bits", "bytes", "stored as", "bytes")
_LEFT = 2
_CHOSEN = "chosen"


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
        "in its best form; `export --target mcu --compress auto` uses it where the memory has room "
        "to decode. Only `--target c` decodes pq and hash."
    )
    return section(
        "Weights",
        note,
        chart(charts.line_chart(drawn, "kernels"), f"{count(plain)} bytes, stored {count(stored)}"),
        folded("All kernels", table(_COLUMNS, rows, left=_LEFT, strong=len(kernels))),
        _sensitivity(result),
    )


def _sensitivity(result: Result) -> str:
    """Return how much each kernel alone loses at each setting, and which setting it got."""
    found = result.compression
    if not found.trials:
        return ""
    names = list(dict.fromkeys(trial.kernel for trial in found.trials))
    lines: dict[str, tuple[tuple[float, float], ...]] = {}
    for trial in found.trials:
        point = float(names.index(trial.kernel) + 1), trial.loss
        # Two stages have up to twenty settings: too many lines to tell apart.
        titles = [str(trial.setting)] if len(trial.setting.parts) == 1 else []
        if found.chosen.get(trial.kernel) == trial.setting:
            titles.append(_CHOSEN)
        for title in titles:
            lines[title] = (*lines.get(title, ()), point)
    drawn = Chart(title="", x="kernel, from input to output", y="validation loss", lines=lines)
    limit = count(int(found.max_flash or 0))
    text = (
        "How much the validation loss rises if one kernel alone is compressed, without training. "
        f"The settings that lose least in sum were chosen within {limit} bytes. The plot leaves "
        "out settings that combine two; the table has all."
    )
    if found.built_bytes:
        text += (
            f" The file for microcontrollers was predicted to have {count(found.predicted_bytes)} "
            f"bytes, and has {count(found.built_bytes)} as `--compress auto` stores it."
        )
    rows = [
        (
            one.kernel,
            str(one.setting),
            _CHOSEN if found.chosen.get(one.kernel) == one.setting else "",
            count(one.bytes),
            f"{one.loss:+.4f}",
            points(one.score),
        )
        for one in found.trials
    ]
    title = result.task_class.title(result.task_class.curve)
    columns = ("kernel", "setting", "", "bytes", "validation loss", title)
    return "\n".join(
        (
            paragraph(text),
            chart(charts.line_chart(drawn, "sensitivity"), "Change of the validation loss"),
            folded("All trials", table(columns, rows, left=3)),
        )
    )


def _sizes(kernel: Kernel) -> tuple[int, int]:
    return kernel.bytes, kernel.stored_bytes


def _points(sizes: list[int]) -> tuple[tuple[float, float], ...]:
    return tuple((float(place), float(size)) for place, size in enumerate(sizes, 1))
