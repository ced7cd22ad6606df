"""What `data` and `suspects` return."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import table
from mobilenet_tf.datasets.survey.findings import findings_of
from mobilenet_tf.datasets.survey.survey import imbalance

_EXAMPLES = 2
_FREQUENT = 3  # sizes, formats and modes
_SHOWN = 10  # suspects


class PictureSurvey(Outcome):
    """What is unusual about the pictures of a source.

    Attributes:
        source: The source.
        images: Number of pictures that can be read.
        seconds: How long it took.
        problem: Why no network can be trained on them, or "".
        classes: Class -> split -> number of pictures.
        sizes: Widths and heights with their number of pictures.
        formats, modes: Name -> number of pictures.
        skipped: Files that cannot be read: file and reason.
        findings: The worst first: kind, title, groups, details.
    """

    source: str
    images: int
    seconds: float
    problem: str
    classes: dict[str, dict[str, int]]
    sizes: list[dict[str, int]]
    formats: dict[str, int]
    modes: dict[str, int]
    skipped: list[dict[str, str]]
    findings: list[dict[str, Any]]

    def __rich__(self) -> Group:
        splits = list(next(iter(self.classes.values()), {}))
        counts = [
            (label, *(f"{by_split[split]:,}" for split in splits))
            for label, by_split in self.classes.items()
        ]
        rate = self.images / max(self.seconds, 1e-6)
        lines = [
            f"{one}: {', '.join(one.groups[0][:_EXAMPLES])} ({one.details[0]})"
            for one in findings_of(self.findings)
        ]
        lines += filter(None, (imbalance(self.classes), self._files()))
        lines.append(f"{self.images:,} images at {rate:,.0f} per second. {self.problem}")
        return Group(table(["class", *splits], counts), Text("\n".join(lines)))

    def _files(self) -> str:
        """Return the most frequent sizes, formats and modes, as a sentence."""
        sizes = {f"{one['width']}x{one['height']}": one["images"] for one in self.sizes}
        kinds = {"sizes": sizes, "formats": self.formats, "modes": self.modes}
        shown = [
            f"{kind} {', '.join(f'{name} ({number:,})' for name, number in first)}"
            for kind, counts in kinds.items()
            if (first := list(counts.items())[:_FREQUENT])
        ]
        return f"Most frequent: {'; '.join(shown)}." if shown else ""


class LabelSuspects(Outcome):
    """Pictures whose labels are probably wrong.

    Attributes:
        way: How they were judged: `features` or `training`.
        folds: Number of folds.
        images: Number of pictures.
        accuracy: Share of them of which the likeliest class is the label.
        wrong: Estimated number of wrong labels.
        worst: The most doubtful ones: file, label, predicted, quality, and a small picture.
        listed: Number of rows of the table.
        file: The table.
    """

    way: str
    folds: int
    images: int
    accuracy: float
    wrong: int
    worst: list[dict[str, Any]]
    listed: int
    file: str

    def __rich__(self) -> Group:
        rows = [
            (one["file"], one["label"], one["predicted"], f"{one['quality']:.2f}")
            for one in self.worst[:_SHOWN]
        ]
        said = (
            f"An estimated {self.wrong:,} of {self.images:,} labels are wrong; "
            f"{self.listed:,} doubtful ones are in {self.file}."
        )
        return Group(table(["file", "label", "predicted", "quality"], rows), Text(said))

    def drawings(self) -> Iterable[Path]:
        return [Path(self.file).parent / one["picture"] for one in self.worst[:_SHOWN]]
