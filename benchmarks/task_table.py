"""Tables of runs of one task, such as those in docs/detection.md and docs/segmentation.md."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.results import dataset_cell, network_cell, proof_cells, publishable
from benchmarks.sections import Section, markdown
from mobilenet_tf.core.terminal import console
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result

_FIRST = ("dataset, test pictures", "network")
_LAST = ("QAT and file within 1 LSB", "file, bytes", "minutes")


@dataclass(frozen=True)
class TaskTable:
    """A table of runs.

    Attributes:
        task: Name of the task, of the document and of its section.
        columns: Titles of what this task measures.
        cells: Returns that of a run, from its result and the settings of its task.
    """

    task: str
    columns: tuple[str, ...]
    cells: Callable[[Result, Mapping[str, Any]], list[str]]

    @property
    def section(self) -> Section:
        """Where the table stands."""
        return Section(self.task, self.render, f"docs/{self.task}.md")

    def row(self, published: Mapping[str, Any]) -> list[str]:
        """Return one run of the JSON document as cells."""
        result = self._result(published)
        first = [dataset_cell(result), network_cell(result)]
        return [*first, *self.cells(result, published["settings"]), *proof_cells(result)]

    def render(self, published: Sequence[Mapping[str, Any]]) -> str:
        """Return the content of the JSON document as Markdown."""
        table = markdown((*_FIRST, *self.columns, *_LAST), [self.row(one) for one in published])
        machines = (self._result(one).machine for one in published)
        used = dict.fromkeys(f"{machine.cores} cores, {machine.cpu}" for machine in machines)
        return f"{table}\n\nOn the test pictures. {'; '.join(used)}."

    def save(self, runs: Iterable[tuple[str, RunFolder]]) -> None:
        """Show each run when it has finished; write the JSON document and the table at the end.

        Args:
            runs: Name and folder of each run. Rows with other names stay in the table.
        """
        published = []
        for name, run in runs:
            settings = run.settings().task.to_dict()
            result = publishable(run.result(), ("task", "metrics"))
            published.append({"name": name, "settings": settings, "result": result})
            console.print(*self.row(published[-1]))
        self.section.save_rows(published, "name")

    def _result(self, published: Mapping[str, Any]) -> Result:
        return Result.from_dict(published["result"], f"docs/{self.task}.json")
