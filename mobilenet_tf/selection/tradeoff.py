"""The trade-off as a picture: accuracy against what it costs, with the lines of a budget."""

from pathlib import Path

from mobilenet_tf.core.plotting import check_plot_file, legend, log_axis, quiet_pyplot, save
from mobilenet_tf.selection.chooser import LIMITS

_TITLES = {"latency": "latency, ms", "bytes": "file, KB", "ram": "RAM, KB"}
_UNITS = {"latency": 1.0, "bytes": 1e3, "ram": 1e3}


def plot(result: dict, path: Path) -> None:
    """Draw what `choose` gives, a panel per cost; what breaks a limit is hollow.

    Raises:
        UserError: the ending is not .png, .svg or .pdf, or it cannot be written.
    """
    check_plot_file(path)
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
