"""What `choose` returns."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import percent, table

_CHOICES = 12  # rows that are shown
_CLOSE = 5  # names that are shown
_SPEEDS = {"latency": ("ms", 1.0), "instructions": ("M instructions", 1e6)}
_BASIS = {"published": "p", "interpolated": "i", "extrapolated": "e"}


class Recommendation(Outcome):
    """The network, alpha and size with the best expected accuracy within a budget.

    Attributes:
        device: Device of the costs, such as `cpu`.
        measured_by: The device and tools in full.
        limits: The budget.
        recipe: The recipe whose published results the accuracies rest on.
        other_recipes: Network -> recipe, where it is another one.
        considered: Number of candidates.
        best: The recommended option; None if nothing fits.
        pareto: Options that no other equals or beats in accuracy and every cost.
        close: Options that are closer to the best than the error of the estimates.
        nearest: If nothing fits, the option closest to the budget.

    There are also `trials`, if any were asked for, and `command`, which trains what is recommended.
    """

    device: str
    measured_by: str
    limits: dict[str, float]
    recipe: str
    other_recipes: dict[str, str]
    considered: int
    best: dict[str, Any] | None
    pareto: list[dict[str, Any]]
    close: list[dict[str, Any]]
    nearest: dict[str, Any] | None

    def __rich__(self) -> Group:
        rows, best = [], self.best
        shown = sorted(self.pareto, key=lambda option: -option["top1"])
        if best:
            within = [option for option in shown if not option["breaks"]]
            shown = [best, *(option for option in within if option != best)]
        speed = "latency" if shown[0]["instructions"] is None else "instructions"
        unit, divisor = _SPEEDS[speed]
        for option in shown[:_CHOICES]:
            fast = "-" if option[speed] is None else f"{option[speed] / divisor:.2f}"
            mark = " *" if option == best else ""
            name = f"{option['model']} {option['alpha']:g}{mark}"
            known = f"{option['top1']:.1f} {_precision(option)}"
            known += " o" if option["model"] in self.other_recipes else ""
            kilobytes = (f"{option[cost] / 1e3:,.1f}" for cost in ("flash", "ram"))
            rows.append((name, option["size"], known, fast, *kilobytes))
        columns = ["network", "size", "ImageNet %", unit, "flash KB", "RAM KB"]
        title = f"Of {self.considered} configurations; costs by {self.measured_by}"
        parts: list[RenderableType] = [Text(title), table(columns, rows)]
        parts.append(Text(_origin(self)))
        if close := self.close:
            others = [f"{one['model']} {one['alpha']:g} at {one['size']}" for one in close[:_CLOSE]]
            more = [f"{len(close) - _CLOSE} more"] if len(close) > _CLOSE else []
            parts.append(
                Text(
                    "Closer to the best than the error of the estimates, so that only a trial can "
                    f"tell (--trials): {', '.join(others + more)}."
                )
            )
        for trial in self.get("trials", ()):
            name = f"{trial['model']} {trial['alpha']:g} {trial['size']}"
            parts.append(Text(f"trained briefly: {name}: {percent(trial['validation_accuracy'])}"))
        if near := self.nearest:
            parts.append(Text(f"Nothing fits: {' and '.join(near['breaks'])} would be exceeded."))
            fast = "" if near[speed] is None else f"{near[speed] / divisor:.2f} {unit}, "
            parts.append(
                Text(
                    f"Nearest: {near['model']} {near['alpha']:g} at {near['size']}: {fast}"
                    f"{near['flash']:,} bytes of flash, RAM {near['ram']:,} bytes."
                )
            )
        else:
            parts.append(Text(self["command"]))
        return Group(*parts)


def _precision(option: dict[str, Any]) -> str:
    """Return the error of an expected accuracy in points, and what it rests on."""
    known, error = option["basis"], option["error"]
    return _BASIS[known] if not error else f"±{error:.1f} {_BASIS[known]}"


def _origin(result: dict[str, Any]) -> str:
    """Return where the expected accuracies come from."""
    mark = "* best that fits. " if result["best"] else ""
    text = (
        f"{mark}Accuracy: published (p), interpolated (i) or extrapolated (e), with the error that "
        "such estimates have where published values are left out; an estimate, not a promise. "
        f"Recipe: {result['recipe']}"
    )
    others: dict[str, list[str]] = {}
    for name, recipe in result["other_recipes"].items():
        others.setdefault(recipe, []).append(name)
    if not others:
        return f"{text}."
    listed = "; ".join(f"{', '.join(names)}: {recipe}" for recipe, names in others.items())
    return f"{text}. Other recipes (o), which may be points better or worse: {listed}."
