"""What the project's plots have in common: axes, limits, legends, files."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically

Points = Sequence[tuple[float, float]]
_ENDINGS = (".png", ".svg", ".pdf")


def trade_off(
    path: Path,
    groups: Mapping[str, Points],
    best: tuple[float, float] | None,
    limit: float | None,
    cost: str,
    gain: str,
) -> None:
    """Draw points of (cost, gain), the cost on a logarithmic axis.

    Args:
        path: ends in .png, .svg or .pdf.
        groups: legend -> points.
        best: the point to mark.
        limit: the most of the cost that is allowed.
        cost, gain: what the axes say.

    Raises:
        UserError: the ending is another, or the file cannot be written.
    """
    check_picture(path)
    figure, panel = quiet_pyplot().subplots(figsize=(8, 5), layout="constrained")
    for name, points in groups.items():
        panel.plot(*zip(*points, strict=True), "o", ms=4, label=name)
    if best is not None:
        panel.plot(*best, "*", ms=16, color="black", label="best")
    log_axis(panel, cost, [] if limit is None else [limit])
    panel.set_ylabel(gain)
    legend(figure)
    save(figure, path)


def check_picture(path: Path) -> None:
    """Raises UserError for a name that does not end as a picture's."""
    if path.suffix.lower() not in _ENDINGS:
        raise UserError(f"{path} cannot be drawn; its name must end in {', '.join(_ENDINGS)}.")


def quiet_pyplot():
    """matplotlib without a window."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def log_axis(panel, title: str, limits: Iterable[float] = ()) -> None:
    """A logarithmic axis with plain numbers, and dashed lines at limits."""
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


def legend(figure, title: str | None = None) -> None:
    """One for all panels, below them."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, title=title, loc="outside lower center", ncols=4)


def save(figure, path: Path) -> None:
    """Write a figure and forget it.

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_atomically(path, lambda partial: figure.savefig(partial, dpi=100))
    finally:
        quiet_pyplot().close(figure)
