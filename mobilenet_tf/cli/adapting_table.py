"""The table of the command `adapt`."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mobilenet_tf.cli.tables import percent, table

_COSTS = {
    "latency": ("latency, ms", "{:.3f}"),
    "flash": ("flash, bytes", "{:,.0f}"),
    "ram": ("RAM, bytes", "{:,.0f}"),
    "macs": ("multiply-adds", "{:,.0f}"),
    "instructions": ("instructions", "{:,.0f}"),
}


def adaptation_table(result: dict[str, Any]) -> RenderableType:
    """Return costs and validation accuracy before and after, and where the files are."""
    before, after, validation = (result[name] for name in ("before", "after", "validation"))
    rows = [
        (title, form.format(before[name]), form.format(after[name]), _limit(result, name, form))
        for name, (title, form) in _COSTS.items()
        if before[name] is not None
    ]
    rows.append(
        ("validation accuracy", percent(validation["before"]), percent(validation["run"]), "")
    )
    if "scratch" in validation:
        rows.append(("  from random weights", "", percent(validation["scratch"]), ""))
    columns = [f"{result['steps']} steps, {result['device']}", "before", "after", "limit"]
    return Group(table(columns, rows), Text(f"{result['run']}\n{result['plot']}"))


def _limit(result: dict[str, Any], name: str, form: str) -> str:
    limit = result["limits"].get(name)
    return "" if limit is None else form.format(limit)
