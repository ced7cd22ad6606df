"""`doctor`, which looks at the installation; `app` registers it."""

from collections import defaultdict
from typing import Any

from rich.console import Group
from rich.text import Text

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import show
from mobilenet_tf.cli.tables import table


def doctor(as_json: opt.Json = False) -> None:
    """Show what is installed, and what each missing part would add."""
    from mobilenet_tf.commands.doctor import doctor as start

    show(start(), as_json, _tables)


def _tables(found: dict[str, Any]) -> Group:
    head = "mobilenet_tf {version}, Python {python}, {system}, {cpu}, {cores} cores"
    parts = found["parts"]
    rows = [
        (one["name"], one["version"] or ("yes" if one["installed"] else "-"), one["adds"])
        for one in parts
    ]
    texts = table(["part", "installed", "for"], rows)
    for column in texts.columns:
        column.justify = "left"
    missing = defaultdict(list)
    for one in parts:
        if not one["installed"]:
            missing[one["install"]].append(one["name"])
    lines = [f"{command}: {', '.join(names)}" for command, names in missing.items()]
    lines = ["To get what is missing:", *lines] if lines else ["Nothing is missing."]
    return Group(Text(head.format_map(found)), texts, Text("\n".join(lines)))
