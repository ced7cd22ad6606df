"""Plots of accuracy against cost, with the limits of a budget as lines."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.core.plotting import (
    check_plot_file,
    legend,
    log_axis,
    quiet_pyplot,
    save,
    trade_off,
)
from mobilenet_tf.selection.choose import Choice, Option, compared_costs
from mobilenet_tf.selection.cost import AXES, Budget, Cost
from mobilenet_tf.selection.netadapt import Step


def draw_choice(choice: Choice, path: Path) -> None:
    """Draw the options of a choice, one panel per cost; those beyond a limit are hollow.

    Raises:
        UserError: The suffix is not .png, .svg or .pdf, or the file cannot be written.
    """
    check_plot_file(path)
    options, limits = choice.pareto, choice.budget.limits
    costs = [
        name for name in compared_costs(choice.budget) if getattr(options[0].cost, name) is not None
    ]
    figure, panels = _panels(len(costs))
    for panel, name in zip(panels, costs, strict=True):
        title, unit = AXES[name]
        _draw_options(panel, options, name)
        if choice.best:
            at = getattr(choice.best.cost, name) / unit, choice.best.top1
            panel.plot(*at, "*", ms=16, color="black", label="best that fits")
        lines = [limits[name] / unit] if name in limits else []
        log_axis(panel, f"{title} ({choice.device})", lines)
    panels[0].set_ylabel("expected ImageNet top-1, %")
    legend(figure, "hollow: beyond a limit" if limits else None)
    save(figure, path)


def _panels(count: int) -> tuple[Any, Any]:
    """Return a figure and its panels, side by side, which share the axis of the accuracy."""
    figure, panels = quiet_pyplot().subplots(
        1, count, figsize=(4.5 * count, 5), sharey=True, squeeze=False, layout="constrained"
    )
    return figure, panels[0]


def _draw_options(panel: Any, options: Iterable[Option], name: str) -> None:
    """Draw accuracy, with its error, against one cost, one colour per family of networks."""
    for index, model in enumerate(dict.fromkeys(option.network.name for option in options)):
        own = [option for option in options if option.network.name == model]
        for fits in (True, False):
            drawn = [option for option in own if fits == (not option.breaks)]
            points = (
                [getattr(option.cost, name) / AXES[name][1] for option in drawn],
                [option.top1 for option in drawn],
            )
            errors = [option.expected.error for option in drawn]
            panel.errorbar(*points, errors, fmt="none", ecolor=f"C{index}", alpha=0.3)
            face = None if fits else "none"
            label = {"label": model} if fits else {}
            panel.plot(*points, "o", ms=5, color=f"C{index}", markerfacecolor=face, **label)


def draw_trials(
    trials: Iterable[tuple[str, Cost, float]],
    best: tuple[Cost, float],
    budget: Budget,
    path: Path,
    title: str = "validation accuracy, %",
) -> None:
    """Draw the accuracy of trials against the cost that is limited, or multiply-adds.

    Args:
        trials: Entry in the legend, cost and validation accuracy (0 to 1) of each trial.
        best: Cost and validation accuracy of the best trial.
        budget: The budget; if it has several limits, the first of latency, instructions, RAM
            and flash is drawn.
        path: The file, which ends in .png, .svg or .pdf.
        title: Title of the accuracy's axis.

    Raises:
        UserError: The suffix is another, or the file cannot be written.
    """
    limits = budget.limits
    drawn = ("latency", "instructions", "ram", "flash")
    axis = next((name for name in drawn if name in limits), "macs")
    cost_title, unit = AXES[axis]

    def point(cost: Cost, accuracy: float) -> tuple[float, float]:
        return getattr(cost, axis) / unit, 100 * accuracy

    groups: dict[str, list[tuple[float, float]]] = {}
    for model, cost, accuracy in trials:
        groups.setdefault(model, []).append(point(cost, accuracy))
    trade_off(
        path,
        groups,
        point(*best),
        limits[axis] / unit if axis in limits else None,
        (cost_title, title),
    )


# Cost of a row of a comparison -> its cost in `AXES`.
_COMPARED = {"latency_ms": "latency", "macs": "macs", "file_bytes": "flash", "arena_bytes": "ram"}


def draw_comparison(result: Mapping[str, Any], path: Path) -> None:
    """Draw accuracy with its intervals against each known cost; the Pareto front is filled.

    Args:
        result: What `compare` found.
        path: The file, which ends in .png, .svg or .pdf.

    Raises:
        UserError: The suffix is another, or the file cannot be written.
    """
    check_plot_file(path)
    rows, form = result["networks"], result["form"]
    known = [name for name in _COMPARED if all(row[name] is not None for row in rows)]
    figure, panels = _panels(len(known))
    for panel, name in zip(panels, known, strict=True):
        title, unit = AXES[_COMPARED[name]]
        for index, row in enumerate(rows):
            mean, low, high = (100 * row[form][part] for part in ("mean", "low", "high"))
            panel.errorbar(
                row[name] / unit,
                mean,
                [[max(0, mean - low)], [max(0, high - mean)]],
                fmt="o",
                color=f"C{index % 10}",
                markerfacecolor=None if row["pareto"] else "none",
                capsize=2,
                label=row["network"],
            )
        log_axis(panel, title)
    panels[0].set_ylabel(f"{form} accuracy, %")
    legend(figure, "filled: on the Pareto front")
    save(figure, path)


def draw_path(before: Cost, steps: Sequence[Step], budget: Budget, path: Path) -> None:
    """Draw the path of an adaptation, and all proposals beside it, one panel per limit.

    Args:
        before: Cost of the network that was adapted.
        steps: The steps.
        budget: The budget.
        path: The file, which ends in .png, .svg or .pdf.

    Raises:
        UserError: The suffix is another, or the file cannot be written.
    """
    check_plot_file(path)
    limits = budget.limits
    figure, panels = _panels(len(limits))
    first = [(before, steps[0].before.accuracy)] if steps else []
    chosen = [*first, *((step.best.cost, step.best.accuracy) for step in steps)]
    others = [(one.cost, one.accuracy) for step in steps for one in step.tried]
    for panel, (name, limit) in zip(panels, limits.items(), strict=True):
        title, unit = AXES[name]
        for points, style, legend_text in (
            (others, {"marker": ".", "ls": "", "alpha": 0.3}, "proposals"),
            (chosen, {"marker": "o", "ms": 4, "color": "black"}, "chosen"),
        ):
            costs = [getattr(cost, name) / unit for cost, _ in points]
            accuracies = [100 * accuracy for _, accuracy in points]
            panel.plot(costs, accuracies, label=legend_text, **style)
        log_axis(panel, title, [limit / unit])
    panels[0].set_ylabel("accuracy on images set aside, %")
    legend(figure)
    save(figure, path)
