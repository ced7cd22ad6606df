"""The table of the command `adapt`."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mobilenet_tf.cli.tables import percent, table
from mobilenet_tf.selection.cost import TITLES


def adaptation_table(result: dict[str, Any]) -> RenderableType:
    """Return costs and validation accuracy before and after, and where the files are."""
    before, after, validation = (result[name] for name in ("before", "after", "validation"))
    rows = [
        (title, *(_value(costs.get(name), name) for costs in (before, after, result["limits"])))
        for name, title in TITLES.items()
        if before[name] is not None
    ]
    rows.append(
        ("validation accuracy", percent(validation["before"]), percent(validation["run"]), "")
    )
    if "scratch" in validation:
        rows.append(("  from random weights", "", percent(validation["scratch"]), ""))
    columns = [f"{result['steps']} steps, {result['device']}", "before", "after", "limit"]
    return Group(table(columns, rows), Text(f"{result['run']}\n{result['plot']}"))


def _value(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if name == "latency" else f"{value:,.0f}"
