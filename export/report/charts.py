"""The report's charts as inline SVG that uses the colours and fonts of the page.

matplotlib draws with placeholder colours, which are then replaced by the page's CSS variables, so
one chart serves the light and the dark theme. Equal results give equal bytes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from mobilenet_tf.core.text import clean
from mobilenet_tf.deployment.report.derived import FORMS, wilson
from mobilenet_tf.deployment.report.format import capitalized, decimal, percent
from mobilenet_tf.runs.sections import Block, Curves
from mobilenet_tf.runs.task_sections import Chart

_INK, _MUTED, _RULE, _ACCENT, _WARN, _PAPER = (f"#00000{number}" for number in range(1, 7))
_VARIABLES = {
    _INK: "ink",
    _MUTED: "muted",
    _RULE: "rule",
    _ACCENT: "accent",
    _WARN: "warn",
    _PAPER: "paper",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mobilenet_tf",
    # Names may contain dollar signs, which must not start a formula.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 12.5,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.8,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "ytick.major.size": 0,
    "xtick.major.size": 3,
}
# Background of values that lie on lines.
_LABEL = {"facecolor": _PAPER, "edgecolor": "none", "pad": 1}
# Smallest width in pixels of a wide chart; a phone scrolls it.
_LEAST_WIDTH = 640
_DASHES: Any = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def _svg(figure: Figure, name: str, description: str, fluid: bool = True) -> str:
    """Return a figure as SVG; its ids begin with `name`, which is unique on the page."""
    stream = StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    body = text[text.index(">") + 1 :].strip()
    width, height = (round(72 * side) for side in figure.get_size_inches())
    body = re.sub(
        r"<style.*?</style>|<title>.*?</title>|<metadata>.*?</metadata>", "", body, flags=re.S
    )
    used = set(re.findall(r"[\"(]#([^\")]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"([\"(])#([^\"); ]+)(?=[\")])", rf"\1#{name}-\2", body)
    body = re.sub(r" font-family: [^;\"]*;", "", body)
    body = re.sub(r"transform=\"rotate\(-0 [^\"]*\"", "", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    body = re.sub(r"\s*\n\s*", "\n", body)
    least = "" if fluid else f"min-width:{_LEAST_WIDTH}px;"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(description)}" '
        f'style="{least}max-width:{width}px">\n{body}\n'
    )


def _figure(width: int, height: int) -> Figure:
    return Figure(figsize=(width / 72, height / 72), layout="constrained")


def score_chart(scores: dict[str, float], title: str, images: int) -> str:
    """Return a chart with one dot per form of the network and its 95% interval.

    Args:
        scores: Form -> score; see `derived.scores`.
        title: Title of the score.
        images: Number of test images; 0 for no intervals.
    """
    with matplotlib.rc_context(_STYLE):
        figure = _figure(430, 40 * len(scores) + 40)
        axes = figure.add_subplot()
        for row, (form, share) in enumerate(scores.items()):
            colour = _ACCENT if form == "int8" else _MUTED
            if images:
                bounds = wilson(share, images)
                axes.plot(bounds, (row, row), color=colour, linewidth=2, alpha=0.45)
            axes.plot([share], [row], "o", color=colour, markersize=8)
            axes.annotate(
                percent(share),
                (share, row),
                (0, 9),
                textcoords="offset points",
                ha="center",
                color=_INK if form == "int8" else _MUTED,
                fontweight="bold" if form == "int8" else "normal",
                bbox=_LABEL,
            )
        axes.set_yticks(range(len(scores)), [FORMS[form] for form in scores])
        axes.set_ylim(len(scores) - 0.5, -0.75)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}%")
        axes.margins(x=0.12)
        values = ", ".join(f"{FORMS[form]} {percent(share)}" for form, share in scores.items())
        return _svg(figure, "score", f"{capitalized(title)} on the test images: {values}")


@dataclass(frozen=True)
class Dot:
    """A network in `front_chart`: its cost, its accuracy (0 to 1) and the accuracy's interval."""

    name: str
    cost: float
    accuracy: float
    interval: tuple[float, float]
    on_front: bool


def front_chart(dots: Sequence[Dot], title: str) -> str:
    """Return accuracy against cost, which has a logarithmic axis with this title."""
    with matplotlib.rc_context(_STYLE):
        figure = _figure(872, 420)
        axes = figure.add_subplot()
        for dot in sorted(dots, key=lambda dot: dot.on_front):
            colour = _ACCENT if dot.on_front else _MUTED
            axes.plot((dot.cost, dot.cost), dot.interval, color=colour, linewidth=2, alpha=0.4)
            axes.plot([dot.cost], [dot.accuracy], "o", color=colour, markersize=7)
            axes.annotate(
                _short(dot.name),
                (dot.cost, dot.accuracy),
                (8, 2),
                textcoords="offset points",
                color=_INK if dot.on_front else _MUTED,
                fontsize=11.5,
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:g}%")
        axes.set_xlabel(title)
        axes.margins(x=0.15)
        axes.grid(axis="y")
        return _svg(figure, "front", f"Accuracy against {title}", fluid=False)


def line_chart(drawn: Chart, name: str) -> str:
    """Return a task's chart; `name` is unique on the page."""
    colours = (_ACCENT, _WARN, _INK, _MUTED)
    with matplotlib.rc_context(_STYLE):
        figure = _figure(872, 300)
        axes = figure.add_subplot()
        for number, (label, points) in enumerate(drawn.lines.items()):
            style = _DASHES[number // len(colours) % len(_DASHES)]
            colour = colours[number % len(colours)]
            axes.plot(
                *zip(*points, strict=True), color=colour, linestyle=style, label=_short(label)
            )
        if drawn.logarithmic:
            axes.set_xscale("log")
        axes.set_xlabel(drawn.x)
        axes.set_ylabel(drawn.y)
        axes.grid(axis="y")
        if len(drawn.lines) > 1:
            axes.legend(frameon=False, fontsize=11, loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure, name, f"{drawn.y} against {drawn.x}", fluid=False)


def curve_chart(stages: Mapping[str, Curves], metric: str) -> str | None:
    """Return one metric over the epochs of all stages of training, of which float is the first.

    Returns None if no stage recorded the metric.
    """
    curves = {stage: curve for stage, curve in stages.items() if curve.get(metric)}
    if not curves:
        return None
    with matplotlib.rc_context(_STYLE):
        figure = _figure(430, 250)
        axes = figure.add_subplot()
        start = 1
        for stage, curve in curves.items():
            for key, colour, width in ((metric, _MUTED, 1.3), (f"val_{metric}", _ACCENT, 2)):
                values = [float("nan") if v is None else v for v in curve.get(key, ())]
                epochs = range(start, start + len(values))
                dot = "o" if len(values) == 1 else None
                axes.plot(epochs, values, color=colour, linewidth=width, marker=dot, markersize=4)
            if stage != "float":
                _mark_start(axes, start - 0.5, stage)
            start += len(curve[metric])
        axes.grid(axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlim(0.5, max(start - 0.5, 2))
        axes.set_xlabel("epoch")
        if metric == "loss":
            axes.set_ylim(bottom=0)
        else:
            axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:g}%")
        return _svg(figure, f"curve-{metric}", f"{metric} of training and validation per epoch")


def _mark_start(axes: Axes, epoch: float, stage: str) -> None:
    axes.axvline(epoch, color=_MUTED, linewidth=1, linestyle=(0, (3, 3)))
    axes.annotate(
        stage,
        (epoch, 0),
        (4, 6),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=_MUTED,
        fontsize=11.5,
        annotation_clip=False,
    )


def block_chart(blocks: Sequence[Block], worst: str | None) -> str | None:
    """Return the signal-to-noise ratio through the depth of the network, the worst block marked.

    Returns None if no block has a ratio.
    """
    levels = {block.name: block.sqnr_db for block in blocks if block.sqnr_db is not None}
    if not levels:
        return None
    with matplotlib.rc_context(_STYLE):
        figure = _figure(872, 250)
        axes = figure.add_subplot()
        lowest, highest = min(levels.values()), max(levels.values())
        floor = min(0, lowest)
        for row, (name, level) in enumerate(levels.items()):
            marked = name == worst
            colour = _WARN if marked else _ACCENT
            axes.plot((row, row), (floor, level), color=colour, linewidth=1.4, alpha=0.5)
            axes.plot([row], [level], "o", color=colour, markersize=7 if marked else 4.5)
            if marked:
                right = row > len(levels) / 2
                axes.annotate(
                    f"{_short(name)}  {decimal(level)} dB",
                    (row, level),
                    (-7 if right else 7, 9),
                    textcoords="offset points",
                    ha="right" if right else "left",
                    color=_WARN,
                    fontweight="bold",
                    bbox=_LABEL,
                )
        axes.grid(axis="y")
        axes.set_ylim(floor, highest * 1.12 if highest > 0 else None)
        axes.set_xlim(-0.7, len(levels) - 0.3)
        _label_first_and_last(axes, list(levels))
        axes.set_ylabel("dB")
        return _svg(
            figure,
            "blocks",
            f"Signal-to-noise ratio of {len(levels)} blocks, {lowest:.1f} to {highest:.1f} dB",
            fluid=False,
        )


def _label_first_and_last(axes: Axes, names: list[str]) -> None:
    rows = [0, len(names) - 1] if len(names) > 1 else [0]
    axes.set_xticks(rows)
    labels = axes.set_xticklabels([_short(names[row]) for row in rows])
    labels[0].set_horizontalalignment("left")
    if len(labels) > 1:
        labels[1].set_horizontalalignment("right")


def _short(name: str) -> str:
    name = clean(name)
    return name if len(name) <= 32 else f"{name[:31]}…"
