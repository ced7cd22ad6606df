"""`report.html`: a run's figures on one page that opens offline, in light and dark.

Everything on it is read from `result.json`; the pictures are those it names.
"""

from importlib import resources
from pathlib import Path
from string import Template

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.deployment.report import contents, mistakes, plots, wording
from mobilenet_tf.deployment.report.markup import (
    Html,
    drawing,
    esc,
    facts,
    folded,
    name,
    paragraph,
    section,
    table,
)
from mobilenet_tf.deployment.report.snippets import reproduce
from mobilenet_tf.deployment.report.wording import (
    FORMS,
    count,
    decimal,
    measured,
    percent,
    plural,
    points,
    size,
)
from mobilenet_tf.runs.folder import RunFolder

_SKIPPED, _CLASSES = 50, 100
_STATES = {True: ("yes", "✓ holds"), False: ("no", "✗ fails"), None: ("open", "– open")}  # noqa: RUF001
_SHARES = {"top5": "top 5", "calibration_error": "calibration error"}
_CURVES = (("muted", "training"), ("accent", "validation"))


def write_report(run: RunFolder) -> Path:
    """Write `report.html` from `result.json`.

    Returns:
        Its path.

    Raises:
        UserError: the run has no figures yet, or the file cannot be written.
    """
    result = figures_of(run)
    settings = run.config() if run.config_file.is_file() else {}
    parts = (
        _head(result),
        _accuracy(result),
        _training(result),
        mistakes.mistakes(result, run.path),
        _robustness(result),
        contents.contents(result),
        contents.ends(result, run.tflite.name),
        contents.depth(result),
        _pictures(result),
        _origin(result, settings),
    )
    template = resources.files("mobilenet_tf.deployment.report").joinpath("template.html")
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=esc(f"{wording.network(result)}: {wording.source(result)}"),
        body="\n".join(part for part in parts if part),
    )
    write_text(run.report, page)
    return run.report


def figures_of(run: RunFolder) -> dict:
    """`result.json`, of which there has to be one."""
    result = run.result()
    if not result:
        raise UserError(f"{run.path} has no figures in result.json yet; run `train` first.")
    return result


def _head(result: dict) -> str:
    accuracy, parity = result.get("accuracy", {}), result.get("parity", {})
    tflite, model = result.get("tflite", {}), result.get("model", {})
    tested, difference = wording.tested(result), wording.loss(result)
    tiles = []
    if measured(accuracy.get("int8")):
        share = percent(accuracy["int8"])
        tiles.append(("int8 accuracy", share, f"95% interval {wording.interval(result, 'int8')}"))
    if difference is not None:
        tiles.append(("against float", points(difference), f"float {percent(accuracy['float'])}"))
    if measured(tflite.get("bytes")):
        tiles.append(("file size", size(tflite["bytes"]), f"{count(tflite['bytes'])} bytes"))
    if measured(parity.get("top1_agreement")):
        side = f"same class, on {plural(tested, 'picture')}"
        tiles.append(("file = network", percent(parity["top1_agreement"]), side))
    if len(tiles) < 2:
        sides = (("parameters", count(model.get("parameters"))),)
        tiles += [(title, value, "") for title, value in sides if value != wording.NOT_MEASURED]
    boxes = "".join(
        f'<div><dt>{esc(title)}</dt><dd class="figure">{_figure(value)}</dd>'
        f'<dd class="side">{esc(side)}</dd></div>'
        for title, value, side in tiles
    )
    over = f"{wording.network(result)} · {wording.source(result)}"
    rows = []
    for check in wording.checks(result):
        kind, text = _STATES[check.passed]
        state = Html(f'<span class="state {kind}">{text}</span>')
        rows.append((check.name, check.found, check.wanted, state))
    lead = " ".join(wording.verdict(result))
    return "\n".join(
        (
            f'<header>\n<p class="over">{esc(over)}</p>\n<h1>{esc(wording.headline(result))}</h1>',
            paragraph(lead, "lead") if lead else "",
            f'<dl class="key">{boxes}</dl>' if boxes else "",
            table(("what a run is held to", "found", "wanted", ""), rows) + "</header>",
        )
    )


def _figure(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f"{esc(number)}&nbsp;<small>{esc(unit)}</small>" if unit else esc(number)


def _accuracy(result: dict) -> str:
    accuracy, number = result.get("accuracy", {}), wording.tested(result)
    forms = [form for form in FORMS if measured(accuracy.get(form))]
    if not forms:
        return ""
    base = accuracy.get("float")
    extra = {
        key: title
        for key, title in _SHARES.items()
        if any(map(measured, result.get(key, {}).values()))
    }
    rows = []
    for form in forms:
        gap = points(accuracy[form] - base) if measured(base) and form != "float" else ""
        share = percent(accuracy[form])
        more = (percent(result[key].get(form)) for key in extra)
        rows.append((FORMS[form], share, wording.interval(result, form), gap, *more))
    columns = ("", "accuracy", "95% interval", "to float", *extra.values())
    strong = forms.index("int8") if "int8" in forms else None
    left = drawing(plots.accuracy_plot(accuracy, number), "")
    note = (
        f"Share of {plural(number, 'test picture')} that was named right; the bars are 95% Wilson "
        "intervals. QAT is the network trained to be integer, the int8 file what became of it, "
        "plain PTQ the float network quantized without training."
    )
    right = f"<div>{table(columns, rows, strong=strong)}</div>"
    return section("Accuracy", note, f'<div class="columns even">{left}{right}</div>')


def _robustness(result: dict) -> str:
    copies = result.get("robustness") or []
    rows = [
        (
            copy["corruption"],
            f"{copy['strength']:g}",
            copy["unit"],
            percent(copy["accuracy"]),
            percent(copy["calibration_error"]),
        )
        for copy in copies
    ]
    if not rows:
        return ""
    mean = sum(copy["accuracy"] for copy in copies) / len(copies)
    rows.append(("mean", "", "", percent(mean), ""))
    columns = ("damage", "strength", "which is", "accuracy", "calibration error")
    note = "The int8 file on damaged copies of the test pictures."
    return section("Robustness", note, table(columns, rows, left=3, strong=len(copies)))


def _training(result: dict) -> str:
    history = result.get("history", {})
    curves = [
        drawing(plots.curve_plot(history, metric), title, _CURVES)
        for metric, title in (("loss", "Loss"), ("accuracy", "Accuracy"))
    ]
    rows = []
    for stage, title in (("float", "float"), ("qat", "QAT")):
        accuracy = (history.get(stage) or {}).get("val_accuracy") or []
        losses = (history.get(stage) or {}).get("val_loss") or [0] * len(accuracy)
        if not accuracy or len(losses) != len(accuracy):
            continue
        best = min(range(len(losses)), key=losses.__getitem__)
        rates = (history[stage].get("learning_rate")) or [None]
        highest = f"{max(rates):.2g}" if measured(rates[0]) else wording.NOT_MEASURED
        row = (title, len(accuracy), best + 1, percent(accuracy[best]), decimal(losses[best], 3))
        rows.append((*row, highest))
    if not any(curves):
        return ""
    columns = ("", "epochs", "best epoch", "validation", "its loss", "highest rate")
    note = "What is kept is the epoch with the lowest loss on the validation pictures."
    parts = f'<div class="columns">{"".join(curves)}</div>', table(columns, rows) if rows else ""
    return section("Training", note, *parts)


def _pictures(result: dict) -> str:
    data, names = result.get("data", {}), wording.class_names(result)
    if not data:
        return ""
    rows = [(part, count(data.get(part))) for part in ("train", "validation", "test")]
    rows.append(("classes", count(len(names))))
    skipped = data.get("skipped") or []
    rows.append(("skipped", count(len(skipped))))
    listed = ", ".join(map(name, names[:_CLASSES]))
    if len(names) > _CLASSES:
        listed += f" and {len(names) - _CLASSES:,} more"
    counts = table(("pictures", ""), rows)
    parts = [f'<div class="columns"><div>{counts}</div><div><p>{listed}</p></div></div>']
    if skipped:
        lines = [(name(item.get("file")), item.get("reason")) for item in skipped[:_SKIPPED]]
        title = f"{plural(len(skipped), 'file')} skipped"
        if len(skipped) > _SKIPPED:
            title += f", the first {_SKIPPED}"
        parts.append(folded(title, table(("file", "reason"), lines, left=2)))
    return section("Pictures", f"From {wording.source(result)}.", *parts)


def _origin(result: dict, settings: dict) -> str:
    seconds, machine = result.get("seconds", {}), result.get("machine", {})
    known = {stage: value for stage, value in seconds.items() if measured(value)}
    ordered = sorted(known, key=lambda stage: [*wording.STAGES, stage].index(stage))
    times = [(wording.STAGES.get(s, s), wording.duration(known[s])) for s in ordered]
    if len(times) > 1:
        times.append(("all", wording.duration(sum(known.values()))))
    versions = list(result.get("versions", {}).items())
    if "seed" in result:
        versions.append(("seed", result["seed"]))
    if fingerprint := result.get("data", {}).get("fingerprint"):
        versions.append(("pictures' fingerprint", fingerprint))
    if machine:
        versions.append(("machine", f"{machine.get('cpu')}, {machine.get('cores')} cores"))
    strong = len(times) - 1 if len(times) > 1 else None
    left = table(("stage", "time"), times, strong=strong) if times else ""
    right = facts(versions) if versions else ""
    halves = "".join(f"<div>{half}</div>" for half in (left, right) if half)
    tables = f'<div class="columns">{halves}</div>'
    command = f'<pre class="wrap"><code>{esc(reproduce(result, settings))}</code></pre>'
    note = "The same seed on the same machine gives the same weights."
    return section("Made again", note, command, tables)
