"""The trade-off as a picture: accuracy against what it costs, with the lines of a budget."""

from collections.abc import Iterable
from pathlib import Path

from export.choose import LIMITS
from mobilenet_tf.errors import UserError

_ENDINGS = (".png", ".svg", ".pdf")
_TITLES = {"latency": "latency, ms", "bytes": "file, KB", "ram": "RAM, KB"}
_UNITS = {"latency": 1.0, "bytes": 1e3, "ram": 1e3}


def plot(result: dict, path: Path) -> None:
    """Draw what `choose` gives, a panel per cost; what breaks a limit is hollow.

    Raises:
        UserError: the ending is not .png, .svg or .pdf, or it cannot be written.
    """
    check_picture(path)
    pyplot = quiet_pyplot()
    options, limits = result["pareto"], result["limits"]
    costs = [name for name in LIMITS.values() if options[0][name] is not None]
    size = 4.5 * len(costs), 5
    figure, panels = pyplot.subplots(
        1, len(costs), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for panel, name in zip(panels[0], costs, strict=True):
        limit = next(limit for limit, attribute in LIMITS.items() if attribute == name)
        for index, model in enumerate(dict.fromkeys(option["model"] for option in options)):
            for fits in (True, False):
                own = [o for o in options if o["model"] == model and fits == (not o["breaks"])]
                points = [o[name] / _UNITS[name] for o in own], [o["top1"] for o in own]
                colour, face = f"C{index}", None if fits else "none"
                label = {"label": model} if fits else {}
                panel.plot(*points, "o", ms=5, color=colour, markerfacecolor=face, **label)
        if result["best"]:
            at = result["best"][name] / _UNITS[name], result["best"]["top1"]
            panel.plot(*at, "*", ms=16, color="black", label="best that fits")
        lines = [limits[limit] / _UNITS[name]] if limit in limits else []
        log_axis(panel, f"{_TITLES[name]} ({result['target']})", lines)
    panels[0][0].set_ylabel("expected ImageNet top-1, % (published table)")
    legend(figure, "hollow: beyond a limit" if limits else None)
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
    from matplotlib import pyplot

    try:
        figure.savefig(path, dpi=100)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        pyplot.close(figure)
