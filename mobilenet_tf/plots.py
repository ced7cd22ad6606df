"""The plot that choosing and tuning share: accuracy against what it costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mobilenet_tf.errors import UserError
from mobilenet_tf.run_folder import write_atomically

Points = Sequence[tuple[float, float]]
FORMATS = (".png", ".svg", ".pdf")


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
        path: ends in one of `FORMATS`.
        groups: legend -> points.
        best: the point to mark.
        limit: the most of the cost that is allowed.
        cost, gain: what the axes say.

    Raises:
        UserError: the ending is another, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path} cannot be drawn; the plot's name must end in .png, .svg or .pdf.")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="tight")
    axes = figure.subplots()
    for name, points in groups.items():
        axes.plot(*zip(*points, strict=True), "o", ms=4, label=name)
    if limit is not None:
        axes.axvline(limit, ls="--", color="grey", label="limit")
    if best is not None:
        axes.plot(*best, "*", ms=16, color="black", label="best")
    axes.set(xscale="log", xlabel=cost, ylabel=gain)
    axes.legend()
    write_atomically(path, figure.savefig)
