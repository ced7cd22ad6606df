"""What `doctor` and a rehearsal of `run` return."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from rich.console import Group
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import table


class Installation(Outcome):
    """What is installed, and what each missing part would add.

    Attributes:
        version: Version of mobilenet_tf.
        python: That of Python.
        system: Operating system and processor family.
        cpu: The processor.
        cores: Number of its cores.
        parts: Of each part: name; installed; version ("" if unknown); adds, what it is for; and
            install, what gets it ("" if it is there).
    """

    version: str
    python: str
    system: str
    cpu: str
    cores: int
    parts: list[dict[str, Any]]

    def __rich__(self) -> Group:
        head = "mobilenet_tf {version}, Python {python}, {system}, {cpu}, {cores} cores"
        parts = self.parts
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
        return Group(Text(head.format_map(self)), texts, Text("\n".join(lines)))


class RunEstimate(Outcome):
    """What a run will take.

    Attributes:
        seconds: Those of the whole run, if no training stops early.
        stages: Stage -> seconds; `start` is what comes before training.
        memory_bytes: The most that this process and its children have used at once.
        disk_bytes: Size of the run folder.
        dry_seconds: How long the estimate took.
    """

    seconds: float
    stages: dict[str, float]
    memory_bytes: int
    disk_bytes: int
    dry_seconds: float

    def __rich__(self) -> Group:
        def duration(seconds: float) -> str:
            return str(timedelta(seconds=round(seconds)))

        stages = [(name, duration(seconds)) for name, seconds in self.stages.items()]
        facts = [
            ("memory", f"{self.memory_bytes / 1e6:,.0f} MB"),
            ("run folder", f"{self.disk_bytes / 1e6:,.1f} MB"),
        ]
        said = f"Estimated in {self.dry_seconds:.0f} s; training may stop earlier. Nothing is kept."
        total = ("all", duration(self.seconds))
        return Group(table(["stage", "time"], [*stages, total]), table(["", ""], facts), Text(said))
