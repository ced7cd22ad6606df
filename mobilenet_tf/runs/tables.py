"""The tables of a run's result."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mobilenet_tf.core.tables import percent, table

if TYPE_CHECKING:
    from mobilenet_tf.runs.result import Result

_FORMS = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}


def run_table(result: "Result") -> Group:
    """Return accuracy, agreement and size of a run as far as they are known."""
    parts: list[RenderableType] = []
    task = result.task_class
    found = {title: getattr(result.score, form) for form, title in _FORMS.items()}
    rows = [(title, percent(share)) for title, share in found.items() if share is not None]
    if rows:
        parts.append(table([f"test {task.title()}", ""], rows))
    facts: list[tuple[str, str]] = []
    if result.tflite.bytes is not None:
        facts.append(("bytes", f"{result.tflite.bytes:,}"))
        facts.append(("float tensors", str(result.tflite.float_tensors)))
    if result.compression.built_bytes is not None:
        small = result.compression
        facts.append(("for microcontrollers, bytes", f"{small.built_bytes:,}"))
        facts.append(("  predicted", f"{small.predicted_bytes:,}"))
    if result.parity:
        facts.append(("model and file within 1 LSB", percent(result.parity.within_1_lsb)))
        facts.append((task.agreed, percent(result.parity.top1_agreement)))
        if result.parity.top5_agreement is not None:
            facts.append(("among the file's first five", percent(result.parity.top5_agreement)))
        if result.parity.mean_lsb is not None:
            distances = f"{result.parity.mean_lsb:.3f}, {result.parity.max_lsb}"
            facts.append(("mean and largest distance of scores, LSB", distances))
        if task.one_class and result.parity.ties:
            facts.append(("images with several first classes", f"{result.parity.ties:,}"))
    if result.seconds:
        facts.append(("seconds", f"{sum(filter(None, result.seconds.values())):.0f}"))
    if facts:
        parts.append(table(["int8 file", ""], facts))
    return Group(*parts)


def block_table(result: "Result") -> Group:
    """Return loss of precision and use of the range of each tensor in the int8 file."""
    rows = []
    for block in result.blocks:
        weights = "-"
        if block.weight_low is not None:
            weights = f"{block.weight_low:.2f} to {block.weight_high:.2f}"
        noise = "-" if block.sqnr_db is None else f"{block.sqnr_db:.1f}"
        shares = percent(block.within_1_lsb), percent(block.range_used)
        rows.append((block.name, noise, *shares, weights))
    title = "Tensors in the file: signal-to-noise ratio against float, share within 1 LSB of QAT"
    worst = f"Most precision is lost in {result.worst_block}."
    columns = ["block", "dB", "1 LSB", "range used", "weights"]
    return Group(table(columns, rows, title), Text(worst))
