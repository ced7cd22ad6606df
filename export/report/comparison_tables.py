"""The table of a comparison for papers: CSV with plain numbers, Markdown, LaTeX."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.core.files import write_text

Result = Mapping[str, Any]
_INTERVALS = ("float", "int8", "int8_change", "difference")
_COUNTS = ("parameters", "macs", "file_bytes", "arena_bytes", "npu_cycles")
_TIMES = ("latency_ms", "latency_p10_ms", "latency_p90_ms")
_LATEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def write_tables(result: Result, folder: Path) -> list[Path]:
    """Write `comparison.csv`, `comparison.md` and `comparison.tex` into a folder; return the paths.

    Raises:
        UserError: A file cannot be written.
    """
    texts = {"csv": csv_table(result), "md": markdown_table(result), "tex": latex_table(result)}
    paths = [folder / f"comparison.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def csv_table(result: Result) -> str:
    """Return one line per network: accuracies from 0 to 1 with the bounds of their intervals."""
    columns = ["network", "model", "alpha", "size", "seeds", *_COUNTS, *_TIMES]
    columns += [f"{name}{part}" for name in _INTERVALS for part in ("", "_low", "_high")]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*columns, "pareto", "exceeds"])
    for row in (*result["networks"], *result["excluded"]):
        cells = [row["network"], row["model"], row["alpha"], row["size"], result["seeds"]]
        cells += [row.get(name) for name in (*_COUNTS, *_TIMES)]
        for name in _INTERVALS:
            found = row.get(name) or {}
            cells += [found.get(part) for part in ("mean", "low", "high")]
        writer.writerow([*cells, row.get("pareto"), " ".join(row.get("breaks", ()))])
    return stream.getvalue()


def columns(result: Result) -> tuple[str, ...]:
    """Return the titles of `cells`."""
    base = ("network", "size", "parameters, K", "MAdds, M")
    if result["form"] == "float":
        return (*base, "float, %", "difference")
    costs = ("file, KB", "arena, KB", "latency, ms", f"{result['npu']}, K cycles")
    return (*base, "float, %", "int8, %", "int8 - float", "difference", *costs)


def cells(result: Result, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a trained network as text: accuracies in per cent and differences in points."""
    name = f"{row['model']} {row['alpha']:g}"
    base = (name, row["size"], _number(row["parameters"], 1e3), _number(row["macs"], 1e6))
    difference = points(row["difference"]) if row["difference"] else "reference"
    if result["form"] == "float":
        return (*base, share(row["float"]), difference)
    return (
        *base,
        share(row["float"]),
        share(row["int8"]),
        points(row["int8_change"]),
        difference,
        _number(row["file_bytes"], 1e3),
        _number(row["arena_bytes"], 1e3),
        _number(row["latency_ms"], 1, 2),
        _number(row["npu_cycles"], 1e3, 0),
    )


def short_columns(result: Result) -> tuple[str, ...]:
    """Return the titles of `short_cells`."""
    if result["form"] == "float":
        return ("network", "float, %", "difference", "MAdds, M", "params, K")
    return ("network", "float", "int8, %", "difference", "KB", "ms")


def short_cells(result: Result, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a trained network as text for a terminal."""
    difference = points(row["difference"]) if row["difference"] else "reference"
    if result["form"] == "float":
        counts = _number(row["macs"], 1e6), _number(row["parameters"], 1e3)
        return (row["network"], share(row["float"]), difference, *counts)
    base = f"{100 * row['float']['mean']:.1f}"
    costs = _number(row["file_bytes"], 1e3, 0), _number(row["latency_ms"], 1, 2)
    return (row["network"], base, share(row["int8"]), difference, *costs)


def share(found: Mapping[str, float]) -> str:
    """Return an accuracy with its interval in per cent, as "91.2 [89.9, 92.4]"."""
    return "{:.1f} [{:.1f}, {:.1f}]".format(
        *(100 * found[part] for part in ("mean", "low", "high"))
    )


def points(found: Mapping[str, float]) -> str:
    """Return a difference with its interval in percentage points, with signs."""
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(
        *(100 * found[part] + 0.0 for part in ("mean", "low", "high"))
    )


def _number(value: float | None, unit: float, digits: int = 1) -> str:
    return "-" if value is None else f"{value / unit:,.{digits}f}"


def caption(result: Result) -> str:
    """Return in words what the table shows."""
    trained = f"{result['epochs']} epochs"
    if result["form"] == "int8":
        trained += f" and {result['qat_epochs']} of quantization-aware training"
    seeds = result["seeds"]
    return (
        f"Accuracy on {result['test_images']:,} test images of {result['data']}, "
        f"{result['classes']} classes; recipe {result['recipe']}, {trained}, "
        f"{seeds} seed{'s' * (seeds != 1)}. Brackets: 95 % intervals of a paired bootstrap over "
        f"images and seeds. Difference: {result['form']} accuracy minus that of "
        f"{result['reference']}, in points."
    )


def excluded_text(result: Result) -> str:
    """Return which networks were not trained and why; empty if all were."""
    listed = (f"{row['network']} ({row['cost']})" for row in result["excluded"])
    return f"Not trained, beyond the limits: {'; '.join(listed)}." if result["excluded"] else ""


def markdown_table(result: Result) -> str:
    """Return the table in Markdown, with its caption below."""
    titles = columns(result)
    lines: list[Sequence[str]] = [titles, ["---"] + ["---:"] * (len(titles) - 1)]
    lines += [cells(result, row) for row in result["networks"]]
    body = "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines)
    below = "\n\n".join(text for text in (caption(result), excluded_text(result)) if text)
    return f"{body}\n\n{below}\n"


def _plain(cell: str) -> str:
    return cell.replace("|", "\\|")


def latex_table(result: Result) -> str:
    """Return the table as a LaTeX `table` environment; it needs the package booktabs."""
    titles = columns(result)
    rows = [[latex(cell) for cell in cells(result, row)] for row in result["networks"]]
    lines = "\n".join(f"{' & '.join(row)} \\\\" for row in rows)
    below = " ".join(text for text in (caption(result), excluded_text(result)) if text)
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{latex(below)}}}\n"
        f"\\begin{{tabular}}{{l{'r' * (len(titles) - 1)}}}\n\\toprule\n"
        f"{' & '.join(latex(title) for title in titles)} \\\\\n\\midrule\n"
        f"{lines}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def latex(text: str) -> str:
    """Return text with the characters escaped that LaTeX reads as commands."""
    escaped = "".join(_LATEX.get(character, character) for character in text)
    # In text, a minus is a hyphen.
    return re.sub(r"(?<![\w.])([+-]\d+(?:\.\d+)?)", r"$\1$", escaped)
