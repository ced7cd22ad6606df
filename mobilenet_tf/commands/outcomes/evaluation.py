"""What `evaluate` returns."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import percent, table
from mobilenet_tf.tasks.registry import task_from_dict

_LARGEST_MATRIX = 20  # classes; a larger matrix is wider than a terminal


class OtherImages(Outcome):
    """What a `.tflite` says of images that show none of its classes; see `Task.separation`.

    Attributes:
        folder: Their folder.
        images: Their number.
        accepted: Share of them that is not rejected.
        auroc: How well scores tell the others from them: area under the ROC curve.
    """

    folder: str
    images: int
    accepted: float
    auroc: float

    def rows(self) -> list[tuple[str, str]]:
        """Return the rows of a table."""
        return [
            (f"accepted of {self.images:,} other images", percent(self.accepted)),
            ("AUROC against them", percent(self.auroc)),
        ]

    def __rich__(self) -> Table:
        return table(["metric", ""], self.rows())


class Evaluation(Outcome):
    """The metrics of a `.tflite` on labelled images: those of `Task.metrics`, and these.

    Attributes:
        file: The `.tflite`.
        source: The images.
        images: Their number.
        skipped: Images that could not be read: file and reason.
    """

    file: str
    source: str
    images: int
    skipped: list[dict[str, str]]

    def __rich__(self) -> Group:
        task = task_from_dict(self.get("task"), self.file)
        titles = {share: task.title(share) for share in task.shares}
        score, images = percent(self[task.shares[0]]), f"{self.images} images"
        head = f"{self.file} {task.achievement(score, images)}"
        if self.skipped:
            head += f", {len(self.skipped)} skipped"
        parts: list[RenderableType] = [Text(head), _metrics(self, titles)]
        parts += _confusion(self) if "confusion" in self else []
        parts += map(_task_table, self.get("tables", ()))
        if copies := self.get("robustness"):
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
        rows += other.rows()
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
