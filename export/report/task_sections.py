"""The sections of the report that a task gives as plain tables, charts and pictures."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mobilenet_tf.deployment.report.charts import line_chart
from mobilenet_tf.deployment.report.format import NOT_MEASURED, percent
from mobilenet_tf.deployment.report.markup import chart, gallery, name, section, table
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.task_sections import Table


def metrics(result: Result) -> Iterator[str]:
    """Yield a section for each table and each chart."""
    for found in result.tables:
        yield section(found.title, found.note, table(found.columns, table_rows(found)))
    for number, drawn in enumerate(result.charts, start=1):
        yield section(drawn.title, drawn.note, chart(line_chart(drawn, f"lines-{number}"), ""))


def pictures(result: Result, folder: Path) -> Iterator[str]:
    """Yield a section for each group of pictures; `folder` is the run folder, which has them."""
    for title, group in groupby(result.pictures, key=lambda item: item.title):
        items = ((item.picture, "", f"{name(item.note)} · {name(item.file)}") for item in group)
        yield section(title, "", gallery(folder, items))


def table_rows(found: Table) -> list[tuple[str, ...]]:
    """Return the cells of a task's table as text."""
    shares = [column in found.shares for column in found.columns]
    return [tuple(map(_cell, row, shares)) for row in found.rows]


def _cell(value: str | float | None, is_share: bool) -> str:
    if value is None:
        return NOT_MEASURED
    if isinstance(value, str):
        return value
    if is_share:
        return percent(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
