"""Results as tables for the terminal; see also `device_tables`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mobilenet_tf.core.text import clean_name

if TYPE_CHECKING:
    from mobilenet_tf.runs.result import Result

_LARGEST_MATRIX = 20  # classes; a larger matrix is wider than a terminal
_FORMS = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}
_COSTS = {
    "parameters": "parameters",
    "macs": "multiply-adds",
    "weight_bytes": "int8 weight bytes",
    "peak_activation_bytes": "peak activation bytes",
}


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Table:
    """Return a plain table; the first column is left-aligned, the others are right-aligned."""
    result = Table(title=None if title is None else plain(title), title_justify="left")
    for index, column in enumerate(columns):
        result.add_column(plain(column), justify="right" if index else "left", overflow="fold")
    for row in rows:
        result.add_row(*map(plain, row))
    return result


def plain(text: object) -> Text:
    """Return a name or a number as it is: not as markup, because it may contain brackets."""
    return Text(clean_name(text))


def percent(share: float | None) -> str:
    """Return a share in per cent, or a dash if it is unknown."""
    return "-" if share is None else f"{share:.2%}"


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
        if result.tflite.download_bytes is not None:  # earlier versions did not measure it
            facts.append(("bytes to download", f"{result.tflite.download_bytes:,}"))
        facts.append(("float tensors", str(result.tflite.float_tensors)))
    if result.parity:
        facts.append(("model and file within 1 LSB", percent(result.parity.within_1_lsb)))
        facts.append((task.agreed, percent(result.parity.top1_agreement)))
        if result.parity.top5_agreement is not None:
            facts.append(("among the file's first five", percent(result.parity.top5_agreement)))
        if result.parity.mean_lsb is not None:
            distances = f"{result.parity.mean_lsb:.3f}, {result.parity.max_lsb}"
            facts.append(("mean and largest distance of scores, LSB", distances))
        if result.parity.ties:
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


def evaluation_table(result: dict[str, Any]) -> Group:
    """Return the metrics of a file: overall, per class, confusion, damaged copies."""
    from mobilenet_tf.tasks.registry import task_from_dict

    task = task_from_dict(result.get("task"), result["file"])
    titles = {share: task.title(share) for share in task.shares}
    score, images = percent(result[task.shares[0]]), f"{result['images']} images"
    head = f"{result['file']} {task.achievement(score, images)}"
    if result["skipped"]:
        head += f", {len(result['skipped'])} skipped"
    parts: list[RenderableType] = [Text(head), _metrics(result, titles)]
    parts += _confusion(result) if "confusion" in result else []
    parts += map(_task_table, result.get("tables", ()))
    if copies := result.get("robustness"):
        rows: list[tuple[Any, ...]] = [
            (
                f"{copy['corruption']} {copy['strength']:g}",
                *(percent(copy[name]) for name in titles),
            )
            for copy in copies
        ]
        parts.append(table(["damaged", *titles.values()], rows))
    return Group(*parts)


def _metrics(result: dict[str, Any], titles: dict[str, str]) -> Table:
    """Return the shares of a file, also of other images, or as another front end prepares them."""
    rows: list[tuple[Any, ...]] = [(title, percent(result[name])) for name, title in titles.items()]
    if other := result.get("other"):
        rows += [
            (f"accepted of {other['images']:,} other images", percent(other["accepted"])),
            ("AUROC against them", percent(other["auroc"])),
        ]
    if (front_end := result.get("front_end")) is None:
        return table(["metric", ""], rows)
    found = [front_end["metrics"][name] for name in titles]
    both = zip(rows, titles, found, strict=True)
    return table(
        ["metric", "as the file expects", f"as {front_end['title']} prepares", "points"],
        [(*row, percent(share), _points(result[name], share)) for row, name, share in both],
    )


def _points(before: float | None, after: float | None) -> str:
    return "-" if before is None or after is None else f"{100 * (after - before):+.2f}"


def _task_table(found: dict[str, Any]) -> Table:
    """Return a table as `result.json` has it."""
    shares = found.get("shares", ())

    def cell(column: str, value: Any) -> str:
        if column in shares or value is None:
            return percent(value)
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    rows = [list(map(cell, found["columns"], row)) for row in found["rows"]]
    return table(found["columns"], rows, found["title"])


def _confusion(result: dict[str, Any]) -> list[RenderableType]:
    """Return the metrics of each class and, of few classes, their confusion."""
    rows: list[tuple[Any, ...]] = [
        (name, values["images"], percent(values["precision"]), percent(values["recall"]))
        for name, values in result["per_class"].items()
    ]
    parts: list[RenderableType] = [table(["class", "images", "precision", "recall"], rows)]
    if len(rows) <= _LARGEST_MATRIX:
        names = list(result["per_class"])
        rows = [
            (name, *(count or "" for count in counts))
            for name, counts in zip(names, result["confusion"], strict=True)
        ]
        parts.append(table(["true class, predicted", *names], rows))
    return parts


def prediction_table(result: dict[str, Any]) -> Table:
    """Return what a model says of images."""
    from mobilenet_tf.tasks.registry import task_from_dict

    return table(*task_from_dict(result.get("task"), result["file"]).answer_rows(result))


def cost_table(summary: dict[str, Any]) -> Table:
    """Return the totals of `networks`, one row each."""
    rows = [
        (row["name"], f"{row['alpha']:g}", row["size"], *(f"{row[key]:,}" for key in _COSTS))
        for row in summary["networks"]
    ]
    return table(["network", "alpha", "size", *_COSTS.values()], rows)


def layer_table(summary: dict[str, Any]) -> Group:
    """Return the layers of a network and its totals."""
    rows = [
        (
            layer["name"],
            layer["kind"],
            f"{layer['height']}x{layer['width']}x{layer['channels']}",
            f"{layer['parameters']:,}",
            f"{layer['macs']:,}",
        )
        for layer in summary["layers"]
    ]
    columns = ["layer", "kind", "output", "parameters", "multiply-adds"]
    return Group(table(columns, rows), cost_table({"networks": [summary]}))
