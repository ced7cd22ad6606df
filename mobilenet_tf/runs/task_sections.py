"""The sections of `result.json` that any task fills: tables, charts and pictures."""

from dataclasses import dataclass

from mobilenet_tf.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a task's metrics.

    Attributes:
        title: Its title.
        note: What it shows, in a sentence.
        columns: Titles of the columns.
        rows: One value per column; None where it is unknown.
        shares: Titles of the columns that hold shares from 0 to 1.
    """

    title: str
    note: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...] = ()
    shares: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject rows that do not have one value per column."""
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise UserError(
                    f"rows[{index}] has {len(row)} values; it must have {len(self.columns)}."
                )


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart of a task's metrics.

    Attributes:
        title: Its title.
        note: What it shows, in a sentence.
        x, y: Titles of the axes.
        lines: Name of a line -> its points (x, y).
        logarithmic: Whether the horizontal axis is.
    """

    title: str
    note: str = ""
    x: str
    y: str
    lines: dict[str, tuple[tuple[float, float], ...]]
    logarithmic: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A test image as the report shows it.

    Attributes:
        file: File name within the dataset.
        picture: Copy of the image, perhaps with what was found in it, relative to the run folder.
        note: What it shows.
        title: Title of the group that it belongs to, such as "Worst misses".
    """

    file: str
    picture: str
    note: str = ""
    title: str = "Worst results"
