"""What `benchmarks.adapt` measured, as tables and a plot in docs/adapt.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.sections import DOCS, Section, markdown, paragraph
from mobilenet_tf.core.plotting import log_axis, quiet_pyplot, save
from mobilenet_tf.deployment.report.comparison_tables import points
from mobilenet_tf.selection.bootstrap import Bootstrap

WAYS = {
    "adapted": "adapted",
    "uniform": "alpha, channels by norm",
    "random": "adapted shape, random channels",
    "shape": "adapted shape, from scratch",
    "alpha": "alpha, from scratch",
}
# What each way is compared with.
PAIRS = (
    ("adapted", "uniform"),
    ("adapted", "random"),
    ("adapted", "alpha"),
    ("adapted", "shape"),
    ("shape", "alpha"),
)
_AS_FAST = 1.05  # latencies up to this ratio count as equal
_UNITS = {"ram": 1024, "flash": 1024, "latency": 1}


def summary(outcomes: Sequence[Mapping[str, Any]], lengths: Mapping[str, int]) -> dict[str, Any]:
    """Return accuracies and paired differences with their intervals, one row per network and share.

    Args:
        outcomes: What `Bench.shares` returned, with `model` and `seed`.
        lengths: Lengths of the trainings.
    """
    keys = list(dict.fromkeys((one["model"], one["share"]) for one in outcomes))
    rows = []
    for model, share in keys:
        own = [one for one in outcomes if (one["model"], one["share"]) == (model, share)]
        ways = [way for way in WAYS if way in own[0]["correct"]]
        found = Bootstrap({way: [one["correct"][way] for one in own] for way in ways})
        rows.append(
            {
                "model": model,
                "share": share,
                "seeds": len(own),
                "images": len(own[0]["correct"]["adapted"]),
                "latency": [one["latency"] for one in own],
                "alpha": [one["alpha"] for one in own],
                "epochs": [lengths["base"] + lengths["tail"] + one["extra"] for one in own],
                "accuracy": {way: found.accuracy(way).to_dict() for way in ways},
                "difference": {
                    f"{one} - {other}": found.difference(one, other).to_dict()
                    for one, other in PAIRS
                    if one in ways and other in ways
                },
            }
        )
    return {"lengths": dict(lengths), "rows": rows}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _slower(latencies: Sequence[Mapping[str, float]]) -> bool:
    """Return whether the controls are clearly slower than the adapted networks."""
    control, after = (_mean([one[name] for one in latencies]) for name in ("control", "after"))
    return control > _AS_FAST * after


def _accuracy(found: Mapping[str, float] | None) -> str:
    return f"{100 * found['mean']:.1f}" if found else ""


def _difference(found: Mapping[str, float] | None) -> str:
    return points(found) if found else ""


def render(result: Mapping[str, Any]) -> str:
    """Return the content of docs/adapt.json as Markdown."""
    rows = result["rows"]
    cells = [
        [
            f"`{row['model']}`, {row['share']:.0%}",
            f"{_mean([one['after'] for one in row['latency']]):.2f}",
            f"{_mean([one['control'] for one in row['latency']]):.2f}",
            f"{_mean(row['alpha']):.2f}",
            *(_accuracy(row["accuracy"].get(way)) for way in WAYS),
        ]
        for row in rows
    ]
    columns = ("network, share of latency", "ms", "control, ms", "control, alpha", *WAYS.values())
    measured = {
        f"{one} - {other}": f"{WAYS[one]} − {WAYS[other]}"  # noqa: RUF001
        for one, other in PAIRS
        if any(f"{one} - {other}" in row["difference"] for row in rows)
    }
    differences = [
        [
            f"`{row['model']}`, {row['share']:.0%}",
            *(_difference(row["difference"].get(pair)) for pair in measured),
        ]
        for row in rows
    ]
    here, first = result["machine"], rows[0]
    slower = [cell[0] for row, cell in zip(rows, cells, strict=True) if _slower(row["latency"])]
    unequal = (
        f"No alpha is as fast as {' and '.join(slower)}; the control is the fastest one there."
        if slower
        else ""
    )
    note = (
        f"Float accuracy in per cent on {first['images']} test pictures of {result['source']}, "
        f"mean over {first['seeds']} seeds; all networks of a row have the same number of epochs, "
        f"{min(map(min, (row['epochs'] for row in rows)))} to "
        f"{max(map(max, (row['epochs'] for row in rows)))} in all. Differences are paired, with "
        f"95 % bootstrap intervals. {unequal} {here['cores']} cores, {here['cpu']}."
    )
    tables = markdown(columns, cells), markdown(("network", *measured.values()), differences)
    return "\n\n".join((*tables, paragraph(note)))


def render_devices(result: Mapping[str, Any]) -> str:
    """Return the content of docs/adapt_devices.json as Markdown."""
    cells = []
    for row in result["rows"]:
        cost, unit = row["cost"], _UNITS[row["cost"]]
        values = (row["before"][cost], row["limit"], row["after"][cost])
        title = f"{row['device']}, {cost}" + (", KiB" if unit > 1 else ", ms")
        accuracies = (row["validation"][name] for name in ("before", "run"))
        others = (
            f"{row['before'][name] / 1024:,.1f} to {row['after'][name] / 1024:,.1f}"
            for name in ("ram", "flash")
        )
        cells.append(
            [
                title,
                *(f"{value / unit:,.{1 if unit > 1 else 3}f}" for value in values),
                row["steps"],
                *others,
                *(f"{100 * value:.1f}" for value in accuracies),
            ]
        )
    columns = (
        "budget",
        "before",
        "limit",
        "after",
        "steps",
        "RAM, KiB",
        "flash, KiB",
        "accuracy before, %",
        "accuracy after, %",
    )
    here = result["machine"]
    note = (
        f"`v2` 0.35 at 96x96 on {result['source']}. RAM is the arena of TensorFlow Lite Micro, or "
        "the SRAM that Vela reports. Accuracy is that of the validation pictures; after the "
        f"adaptation, the network was trained further. {here['cores']} cores, {here['cpu']}."
    )
    return f"{markdown(columns, cells)}\n\n{paragraph(note)}"


def draw(result: Mapping[str, Any]) -> None:
    """Draw accuracy against latency, one panel per network, into docs/adapt.png."""
    models = list(dict.fromkeys(row["model"] for row in result["rows"]))
    figure, panels = quiet_pyplot().subplots(
        1, len(models), figsize=(5 * len(models), 5), squeeze=False, layout="constrained"
    )
    legend: dict[str, Any] = {}
    for panel, model in zip(panels[0], models, strict=True):
        rows = [row for row in result["rows"] if row["model"] == model]
        for way, title in WAYS.items():
            if way not in rows[0]["accuracy"]:
                continue
            latency = "control" if way in ("uniform", "alpha") else "after"
            times = [_mean([one[latency] for one in row["latency"]]) for row in rows]
            found = [row["accuracy"][way] for row in rows]
            means = [100 * one["mean"] for one in found]
            errors = [
                [100 * abs(one["mean"] - one[bound]) for one in found] for bound in ("low", "high")
            ]
            panel.errorbar(times, means, errors, marker="o", ms=4, capsize=2, label=title)
        lines, titles = panel.get_legend_handles_labels()
        legend |= dict(zip(titles, lines, strict=True))
        log_axis(panel, f"latency of {model}, ms (cpu)")
    figure.legend(legend.values(), legend, loc="outside lower center", ncols=3)
    panels[0][0].set_ylabel("test accuracy, %")
    save(figure, DOCS / "adapt.png")


DEVICES = Section("adapt_devices", render_devices, "docs/adapt.md")
SECTIONS = (Section("adapt", render, "docs/adapt.md"), DEVICES)
