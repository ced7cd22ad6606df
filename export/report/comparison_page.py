"""The report of a comparison: one page that opens offline, made from its result alone."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from mobilenet_tf.core.files import write_text
from mobilenet_tf.deployment.report import charts
from mobilenet_tf.deployment.report.comparison_tables import (
    caption,
    cells,
    columns,
    excluded_text,
    points,
    share,
)
from mobilenet_tf.deployment.report.format import percent, plural
from mobilenet_tf.deployment.report.markup import chart, esc, facts, paragraph, section, table
from mobilenet_tf.selection.cost import AXES

Result = Mapping[str, Any]


def write_comparison_page(result: Result, path: Path) -> None:
    """Write the report.

    Raises:
        UserError: The file cannot be written.
    """
    template = resources.files("mobilenet_tf.deployment.report").joinpath("template.html")
    title = f"{plural(len(result['networks']), 'network')} on {result['data']}"
    parts = (_header(result, title), _networks(result), _trade_off(result), _seeds(result))
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=esc(title), body="\n".join((*parts, _origin(result)))
    )
    write_text(path, page)


def verdict(result: Result) -> str:
    """Return which networks the best one is known to beat, in one or two sentences."""
    form = result["form"]
    best = max(result["networks"], key=lambda row: row[form]["mean"])
    text = f"The most accurate is {best['network']}, with {share(best[form])} % ({form})."
    if best["network"] != result["reference"] or len(result["networks"]) == 1:
        return text
    others = [row for row in result["networks"] if row["difference"]]
    open_ones = [row["network"] for row in others if row["difference"]["high"] >= 0]
    if not open_ones:
        return f"{text} The others are less accurate beyond doubt."
    return f"{text} The intervals do not tell it from {', '.join(open_ones)}."


def _header(result: Result, title: str) -> str:
    over = f"{result['data']} · {plural(result['test_images'], 'test image')}"
    lead = verdict(result)
    if result["int8_change"]:
        lead += f" Int8 changes the accuracy by {points(result['int8_change'])} points on average."
    return (
        f'<header>\n<p class="over">{esc(over)}</p>\n<h1>{esc(title)}</h1>'
        f"{paragraph(lead, 'lead')}</header>"
    )


def _networks(result: Result) -> str:
    best = max(
        range(len(result["networks"])),
        key=lambda index: result["networks"][index][result["form"]]["mean"],
    )
    rows = [cells(result, row) for row in result["networks"]]
    below = excluded_text(result)
    return section(
        "Accuracy and cost",
        caption(result),
        table(columns(result), rows, strong=best),
        paragraph(below, "note") if below else "",
    )


def _trade_off(result: Result) -> str:
    form = result["form"]
    timed = all(row["latency_ms"] for row in result["networks"])
    cost = "latency_ms" if timed else "macs"
    title, unit = AXES["latency" if timed else "macs"]
    dots = [
        charts.Dot(
            row["network"],
            row[cost] / unit,
            row[form]["mean"],
            (row[form]["low"], row[form]["high"]),
            row["pareto"],
        )
        for row in result["networks"]
    ]
    note = (
        "Coloured networks are on the Pareto front: no other is at least as accurate and at most "
        "as expensive in latency, multiply-adds, file and arena. Bars are 95 % intervals."
    )
    return section("Accuracy against cost", note, chart(charts.front_chart(dots, title), ""))


def _seeds(result: Result) -> str:
    form = result["form"]
    titles = ("", *(f"seed {seed}" for seed in range(result["seeds"])))
    rows = [
        (row["network"], *(percent(found) for found in row[form]["seeds"]))
        for row in result["networks"]
    ]
    failed = [row["network"] for row in result["networks"] if row["diverged"]]
    note = f"Accuracy ({form}) of each training."
    if failed:
        note += f" Training diverged, and counts as 0 %: {', '.join(failed)}."
    return section("Seeds", note, table(titles, rows))


def _origin(result: Result) -> str:
    used, here = result["versions"], result["machine"]
    measured = (
        ("latency", f"int8 file, one thread, in turns, on {here['cpu']}"),
        ("arena", "TensorFlow Lite Micro, measured"),
        (result["npu"], "Vela's estimate"),
    )
    rows = [
        ("recipe", result["recipe"]),
        ("epochs", result["epochs"]),
        ("initial weights", result["weights"]),
        *(measured if result["form"] == "int8" else ()),
        *used.items(),
    ]
    return section("Origin", "", facts(rows))
