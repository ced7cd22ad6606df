"""The sections of the report on metrics, training, dataset and origin of a run."""

from mobilenet_tf.deployment.report import charts, derived
from mobilenet_tf.deployment.report.derived import (
    FORMS,
    counted_images,
    dataset_title,
    interval,
)
from mobilenet_tf.deployment.report.format import (
    NOT_MEASURED,
    capitalized,
    count,
    decimal,
    duration,
    percent,
    plural,
    points,
)
from mobilenet_tf.deployment.report.markup import (
    chart,
    esc,
    facts,
    folded,
    name,
    paragraph,
    section,
    table,
)
from mobilenet_tf.deployment.report.snippets import reproduce
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.sections import Curves, Robustness

_STAGES = {
    "data": "read dataset",
    "train": "train",
    "quantize": "quantize",
    "export": "export",
    "verify": "verify",
    "suspects": "find label suspects",
}
_SHOWN_FILES, _SHOWN_CLASSES = 50, 100
_CURVE_LEGEND = (("muted", "training"), ("accent", "validation"))


def scores(result: Result) -> str:
    """Return the section on the score of every form of the network."""
    known, images = derived.scores(result), plural(result.test_images, "test image")
    if not known:
        return ""
    base, task, counted = result.score.float, result.task_class, counted_images(result)
    _, *others = result.shares.items()
    optional = {task.title(name): metric for name, metric in others if metric}
    rows = [
        (
            FORMS[form],
            percent(share),
            *([interval(result, form)] if counted else []),
            "" if base is None or form == "float" else points(share - base),
            *(percent(getattr(metric, form)) for metric in optional.values()),
        )
        for form, share in known.items()
    ]
    intervals = ["95% interval"] if counted else []
    columns = ("", task.title(), *intervals, "vs. float", *optional)
    strong = list(known).index("int8") if "int8" in known else None
    left = chart(charts.score_chart(known, task.title(), counted), "")
    right = f"<div>{table(columns, rows, strong=strong)}</div>"
    title = capitalized(task.title())
    measured = f"{title} on {images}"
    if counted:
        measured = f"Share of {images} that were predicted correctly, with 95% Wilson intervals"
    note = (
        f"{measured}. QAT is the "
        "network after quantization-aware training, the int8 file is converted from it, and plain "
        "PTQ is the float network after post-training quantization without further training."
    )
    return section(title, note, f'<div class="columns even">{left}{right}</div>')


def training(result: Result) -> str:
    """Return the section on training."""
    stages, curve = derived.curves_by_stage(result), result.task_class.curve
    curve_title = result.task_class.title(curve)
    drawn = [
        chart(charts.curve_chart(stages, metric), title, _CURVE_LEGEND)
        for metric, title in (("loss", "Loss"), (curve, capitalized(curve_title)))
    ]
    if not any(drawn):
        return ""
    rows = [
        (title, *row) for title, curves in stages.items() if (row := _best_epoch(curves, curve))
    ]
    columns = ("", "epochs", "best epoch", curve_title, "loss", "highest learning rate")
    note = (
        "The weights of the epoch with the lowest validation loss are used; "
        f"{curve_title} and loss in the table are its validation metrics."
    )
    parts = f'<div class="columns">{"".join(drawn)}</div>', table(columns, rows) if rows else ""
    return section("Training", note, *parts)


def _best_epoch(curves: Curves, curve: str) -> tuple[object, ...] | None:
    """Return epochs, best epoch with its metric and loss, and the highest learning rate.

    Returns None if metric and loss were not recorded for the same epochs.
    """
    shares, losses = curves.get(f"val_{curve}", ()), curves.get("val_loss", ())
    known = [(loss, epoch) for epoch, loss in enumerate(losses) if loss is not None]
    if not known or len(losses) != len(shares):
        return None
    loss, best = min(known)
    rates = [rate for rate in curves.get("learning_rate", ()) if rate is not None]
    highest = f"{max(rates):.2g}" if rates else NOT_MEASURED
    return len(losses), best + 1, percent(shares[best]), decimal(loss, 3), highest


def robustness(result: Result) -> str:
    """Return the section on damaged copies of the test images."""
    copies = result.robustness
    if not copies:
        return ""
    # Top 5 tells little of damaged copies beyond the accuracy.
    shown = [name for name in result.task_class.shares if name != "top5"]
    rows = [
        (
            copy.corruption,
            f"{copy.strength:g}",
            copy.unit,
            *(percent(_share(copy, name)) for name in shown),
        )
        for copy in copies
    ]
    known = [share for copy in copies if (share := _share(copy, shown[0])) is not None]
    mean = sum(known) / len(known) if known else None
    rows.append(("mean", "", "", percent(mean), *[""] * (len(shown) - 1)))
    columns = ("corruption", "strength", "unit", *map(result.task_class.title, shown))
    note = "The int8 file on corrupted copies of the test images."
    return section("Robustness", note, table(columns, rows, left=3, strong=len(copies)))


def _share(copy: Robustness, name: str) -> float | None:
    return (copy.metrics or {}).get(name, getattr(copy, name, None))


def dataset(result: Result) -> str:
    """Return the section on the dataset."""
    data, names = result.data, result.data.classes
    if not data:
        return ""
    rows = [
        ("train", count(data.train)),
        ("validation", count(data.validation)),
        ("test", count(data.test)),
        ("classes", count(len(names)) if names else "no labels used"),
        ("skipped", count(len(data.skipped))),
    ]
    listed = ", ".join(map(name, names[:_SHOWN_CLASSES]))
    if len(names) > _SHOWN_CLASSES:
        listed += f" and {len(names) - _SHOWN_CLASSES:,} more"
    counts = table(("split", "images"), rows)
    parts = [f'<div class="columns"><div>{counts}</div><div><p>{listed}</p></div></div>']
    parts += [paragraph(f"{capitalized(note)}.") for note in data.notes or ()]
    if data.skipped:
        lines = [(name(item.file), item.reason) for item in data.skipped[:_SHOWN_FILES]]
        title = f"{plural(len(data.skipped), 'file')} skipped"
        if len(data.skipped) > _SHOWN_FILES:
            title += f", the first {_SHOWN_FILES}"
        parts.append(folded(title, table(("file", "reason"), lines, left=2)))
    return section("Dataset", f"From {dataset_title(result)}.", *parts)


def origin(result: Result, run: RunFolder) -> str:
    """Return the section on how to repeat the run, and on what it ran."""
    times = _times(result)
    versions: list[tuple[str, object]] = list(result.versions.items())
    if result.seed is not None:
        versions.append(("seed", result.seed))
    if result.data.fingerprint:
        versions.append(("fingerprint of the dataset", result.data.fingerprint))
    if result.machine:
        machine = result.machine
        versions.append(
            ("machine", f"{machine.cpu or 'unknown CPU'}, {count(machine.cores)} cores")
        )
    strong = len(times) - 1 if len(times) > 1 else None
    left = table(("stage", "time"), times, strong=strong) if times else ""
    right = facts(versions) if versions else ""
    halves = "".join(f"<div>{half}</div>" for half in (left, right) if half)
    command, note = reproduce(result, run), ""
    shown = None
    if command:
        note = "The same seed on the same machine gives the same weights."
        shown = f'<pre class="wrap"><code>{esc(command)}</code></pre>'
    tables = f'<div class="columns">{halves}</div>' if halves else None
    return section("Reproduce this run", note, shown, tables)


def _times(result: Result) -> list[tuple[str, str]]:
    """Return the durations of the stages, in the order of `_STAGES`, and their sum."""
    known = {stage: value for stage, value in result.seconds.items() if value is not None}
    ordered = sorted(known, key=lambda stage: [*_STAGES, stage].index(stage))
    times = [(_STAGES.get(stage, stage), duration(known[stage])) for stage in ordered]
    if len(times) > 1:
        times.append(("all", duration(sum(known.values()))))
    return times
