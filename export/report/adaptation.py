"""The section of the report on a network that was adapted from another one."""

from mobilenet_tf.deployment.report.format import count, decimal, percent
from mobilenet_tf.deployment.report.markup import folded, section, table
from mobilenet_tf.runs.adaptation import AdaptedLayer
from mobilenet_tf.runs.result import Result
from mobilenet_tf.selection.cost import TITLES, Cost


def adaptation(result: Result) -> str:
    """Return what was cut, step by step and layer by layer; nothing for other networks."""
    found = result.adaptation
    if found.before is None:
        return ""
    start = "random weights" if found.from_scratch else "the weights that were kept"
    note = (
        f"Adapted from {found.source} by NetAdapt, and trained from {start}. Costs: "
        f"{found.measured_on}. Accuracy: after a brief training, on training images set aside from "
        "it. The original network has learned them, so these accuracies only compare steps."
    )
    names = [name for name in TITLES if getattr(found.before, name) is not None]
    rows = [
        ("before", *_costs(found.before, names), ""),
        *((one.change, *_costs(one.cost, names), percent(one.accuracy)) for one in found.path),
        ("limit", *(_value(found.limits.get(name)) for name in names), ""),
    ]
    columns = ("", *(TITLES[name] for name in names), "accuracy")
    layers = table(
        ("layer", "kind", "channels", "left", "multiply-adds", "left"),
        [_layer(one) for one in found.layers if one.macs or one.channels != one.channels_left],
    )
    return section(
        "Adaptation", note, table(columns, rows) + folded("Layers before and after", layers)
    )


def _costs(cost: Cost, names: list[str]) -> list[str]:
    return [_value(getattr(cost, name)) for name in names]


def _value(value: float | None) -> str:
    if value is None:
        return ""
    return count(int(value)) if value == int(value) else decimal(value, 3)


def _layer(one: AdaptedLayer) -> tuple[str, ...]:
    left = ["" if value is None else count(value) for value in (one.channels_left, one.macs_left)]
    return one.name, one.kind, count(one.channels), left[0], count(one.macs), left[1]
