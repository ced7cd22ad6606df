"""What the project's plots share: axes, limits, legends, files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import check_writable, write_atomically

Points = Sequence[tuple[float, float]]
_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class PlotFile:
    """A file for a plot.

    Attributes:
        path: Its name ends in .png, .svg or .pdf.
        overwrite: Whether to replace a file of that name.

    Raises:
        UserError: The name has another suffix, the file cannot be written, or it exists.
    """

    path: Path
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_plot_file(self.path)
        if self.path.exists() and not self.overwrite:
            raise UserError(
                f"{self.path} exists; use --overwrite to replace it, or another name for the plot."
            )


def trade_off(
    path: Path,
    groups: Mapping[str, Points],
    best: tuple[float, float] | None,
    limit: float | None,
    labels: tuple[str, str],
) -> None:
    """Draw points of (cost, gain), the cost on a logarithmic axis.

    Args:
        path: File to write; its name ends in .png, .svg or .pdf.
        groups: Legend -> points.
        best: Point to mark.
        limit: Largest cost that is allowed.
        labels: Labels of the axes: cost, gain.

    Raises:
        UserError: The name has another suffix, or the file cannot be written.
    """
    check_plot_file(path)
    figure, panel = quiet_pyplot().subplots(figsize=(8, 5), layout="constrained")
    for name, points in groups.items():
        panel.plot(*zip(*points, strict=True), "o", ms=4, label=name)
    if best is not None:
        panel.plot(*best, "*", ms=16, color="black", label="best")
    log_axis(panel, labels[0], [] if limit is None else [limit])
    panel.set_ylabel(labels[1])
    legend(figure)
    save(figure, path)


def check_plot_file(path: Path) -> None:
    """Reject a file name that a plot cannot have.

    Raises:
        UserError: The suffix is not .png, .svg or .pdf, or the file cannot be written.
    """
    check_writable(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{path} cannot be drawn; its name must end in {', '.join(_SUFFIXES)}.")


def quiet_pyplot() -> Any:
    """Return matplotlib's pyplot, set up to draw without a window."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def log_axis(panel: Any, title: str, limits: Iterable[float] = ()) -> None:
    """Make the x axis logarithmic with plain numbers, and draw dashed lines at limits."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for limit in limits:
        panel.axvline(limit, ls="--", color="grey")
        text = f" {limit:g}"
        panel.annotate(text, (limit, 0.99), xycoords=("data", "axes fraction"), va="top")
    panel.set(xscale="log", xlabel=title)
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.grid(alpha=0.3)


def legend(figure: Any, title: str | None = None) -> None:
    """Draw one legend for all panels, below them."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title=title, loc="outside lower center", ncols=4)


def save(figure: Any, path: Path) -> None:
    """Write a figure and close it.

    Raises:
        UserError: The file cannot be written.
    """
    try:
        write_atomically(path, lambda partial: figure.savefig(partial, dpi=100))
    finally:
        quiet_pyplot().close(figure)
