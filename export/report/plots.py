"""The report's plots as inline SVG whose colours and fonts are those of the page.

matplotlib is given stand-in colours that are then replaced by the page's CSS variables, so one
drawing serves light and dark. The same figures give the same bytes.
"""

import re
from html import escape

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mobilenet_tf.deployment.report.wording import FORMS, clean, decimal, measured, percent, wilson

_INK, _MUTED, _RULE, _ACCENT, _WARN, _PAPER = (f"#00000{number}" for number in range(1, 7))
_VARIABLES = {
    _INK: "ink",
    _MUTED: "muted",
    _RULE: "rule",
    _ACCENT: "accent",
    _WARN: "warn",
    _PAPER: "paper",
}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mobilenet_tf",
    # A name with two dollar signs is a name, not a formula.
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
# Behind figures that lie on lines.
_LABEL = {"facecolor": _PAPER, "edgecolor": "none", "pad": 1}
# A wide plot is not made smaller than this: a phone scrolls it.
_LEAST = 640
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def _svg(figure: Figure, name: str, description: str, fluid: bool = True) -> str:
    """The drawing as an element of the page; ids begin with `name`, which is unique on it."""
    from io import StringIO

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
    least = "" if fluid else f"min-width:{_LEAST}px;"
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(description)}" '
        f'style="{least}max-width:{width}px">\n{body}\n'
    )


def _figure(width: int, height: int) -> Figure:
    return Figure(figsize=(width / 72, height / 72), layout="constrained")


def accuracy_plot(accuracy: dict, pictures: int) -> str:
    """A dot per form of the network with its 95% interval."""
    forms = [name for name in FORMS if measured(accuracy.get(name))]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(430, 40 * len(forms) + 40)
        axes = figure.add_subplot()
        for row, form in enumerate(forms):
            share = accuracy[form]
            colour = _ACCENT if form == "int8" else _MUTED
            if pictures:
                ends = wilson(share, pictures)
                axes.plot(ends, (row, row), color=colour, linewidth=2, alpha=0.45)
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
        axes.set_yticks(range(len(forms)), [FORMS[form] for form in forms])
        axes.set_ylim(len(forms) - 0.5, -0.75)
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:g}%")
        axes.margins(x=0.12)
        values = ", ".join(f"{FORMS[form]} {percent(accuracy[form])}" for form in forms)
        return _svg(figure, "accuracy", f"Accuracy on the test pictures: {values}")


def curve_plot(history: dict, metric: str) -> str | None:
    """One metric over the epochs of float training and then of quantization-aware training."""
    stages = [(name, history.get(name) or {}) for name in ("float", "qat")]
    stages = [(name, stage) for name, stage in stages if stage.get(metric)]
    if not stages:
        return None
    with matplotlib.rc_context(_STYLE):
        figure = _figure(430, 250)
        axes = figure.add_subplot()
        start = 1
        for name, stage in stages:
            for key, colour, width in ((metric, _MUTED, 1.3), (f"val_{metric}", _ACCENT, 2)):
                values = [v if measured(v) else float("nan") for v in stage.get(key, ())]
                epochs = range(start, start + len(values))
                dot = "o" if len(values) == 1 else None
                axes.plot(epochs, values, color=colour, linewidth=width, marker=dot, markersize=4)
            if name == "qat":
                axes.axvline(start - 0.5, color=_MUTED, linewidth=1, linestyle=(0, (3, 3)))
                axes.annotate(
                    "QAT",
                    (start - 0.5, 0),
                    (4, 6),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    color=_MUTED,
                    fontsize=11.5,
                    annotation_clip=False,
                )
            start += len(stage[metric])
        axes.grid(axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlim(0.5, max(start - 0.5, 2))
        axes.set_xlabel("epoch")
        if metric == "accuracy":
            axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:g}%")
        else:
            axes.set_ylim(bottom=0)
        return _svg(figure, f"curve-{metric}", f"{metric} of training and validation per epoch")


def block_plot(blocks: list[dict], worst: str | None) -> str | None:
    """Signal-to-noise through the depth of the network, the worst block marked."""
    known = [block for block in blocks if measured(block.get("sqnr_db"))]
    if not known:
        return None
    levels = [block["sqnr_db"] for block in known]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(872, 250)
        axes = figure.add_subplot()
        floor = min(0, *levels)
        for row, (block, level) in enumerate(zip(known, levels, strict=True)):
            marked = str(block.get("name")) == worst
            colour = _WARN if marked else _ACCENT
            axes.plot((row, row), (floor, level), color=colour, linewidth=1.4, alpha=0.5)
            axes.plot([row], [level], "o", color=colour, markersize=7 if marked else 4.5)
            if marked:
                right = row > len(known) / 2
                axes.annotate(
                    f"{_short(worst)}  {decimal(level)} dB",
                    (row, level),
                    (-7 if right else 7, 9),
                    textcoords="offset points",
                    ha="right" if right else "left",
                    color=_WARN,
                    fontweight="bold",
                    bbox=_LABEL,
                )
        axes.grid(axis="y")
        axes.set_ylim(floor, max(levels) * 1.12 if max(levels) > 0 else None)
        axes.set_xlim(-0.7, len(known) - 0.3)
        axes.set_xticks([0, len(known) - 1] if len(known) > 1 else [0])
        ends = [_short(str(known[0].get("name"))), _short(str(known[-1].get("name")))]
        labels = axes.set_xticklabels(ends[: len(axes.get_xticks())])
        labels[0].set_ha("left")
        if len(labels) > 1:
            labels[1].set_ha("right")
        axes.set_ylabel("dB")
        return _svg(
            figure,
            "blocks",
            f"Signal-to-noise of {len(known)} blocks, {min(levels):.1f} to {max(levels):.1f} dB",
            fluid=False,
        )


def _short(name: str) -> str:
    name = clean(name)
    return name if len(name) <= 32 else f"{name[:31]}…"
