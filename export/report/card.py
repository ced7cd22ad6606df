"""`MODEL_CARD.md`: what goes with the file when it is passed on, from `result.json`."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mobilenet_tf.core.files import write_text
from mobilenet_tf.deployment.report import wording
from mobilenet_tf.deployment.report.page import figures_of
from mobilenet_tf.deployment.report.snippets import feeding, reproduce
from mobilenet_tf.deployment.report.wording import (
    FORMS,
    NOT_MEASURED,
    count,
    measured,
    percent,
    plural,
    points,
    size,
)
from mobilenet_tf.runs.folder import RunFolder

_CLASSES = 100


def write_card(run: RunFolder) -> Path:
    """Write `MODEL_CARD.md` from `result.json`.

    Returns:
        Its path.

    Raises:
        UserError: the run has no figures yet, or the file cannot be written.
    """
    result = figures_of(run)
    settings = run.config() if run.config_file.is_file() else {}
    parts = (
        _opening(result),
        _use(result),
        _figures(result),
        _ends(result, run.tflite.name),
        _data(result),
        _making(result, settings),
        "## Licence\n\n"
        "*To be filled in by whoever publishes the model: its own licence, and that of the "
        "training pictures.*",
    )
    write_text(run.card, "\n\n".join(part for part in parts if part) + "\n")
    return run.card


def _plain(value) -> str:
    """A value as Markdown that shows it as it is."""
    text = wording.clean(value).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]>|#~])", r"\\\1", text)


def _table(columns: Sequence[str], rows: Iterable[Sequence]) -> str:
    """A table; the first column to the left, the others to the right."""
    rule = "|".join([" --- ", *[" ---: "] * (len(columns) - 1)])
    lines = [" | ".join(map(_plain, row)) for row in (columns, *rows)]
    return "\n".join((f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])))


def _opening(result: dict) -> str:
    number = len(wording.class_names(result))
    model = result.get("model", {})
    kind = "int8 image classifier" if result.get("tflite") else "Image classifier"
    colour = {1: "grey", 3: "RGB"}.get(model.get("channels"), "")
    side = model.get("size", "?")
    text = (
        f"{kind[0].upper()}{kind[1:]} of {number:,} classes for {side} × {side} {colour} input, "  # noqa: RUF001
        f"for pictures like those of {_plain(wording.source(result))}."
    )
    verdict = " ".join((wording.headline(result), *wording.verdict(result)))
    return f"# {_plain(wording.network(result))}\n\n{text}\n\n{_plain(verdict)}"


def _use(result: dict) -> str:
    accuracy, number = result.get("accuracy", {}), wording.tested(result)
    origin = _plain(wording.source(result))
    limits = []
    if measured(accuracy.get("int8")) and number:
        limits.append(
            f"The accuracy, {percent(accuracy['int8'])}, was measured on "
            f"{plural(number, 'test picture')} of {origin}; its 95% Wilson interval is "
            f"{wording.interval(result, 'int8')}."
        )
    else:
        limits.append("Accuracy of the int8 file: not measured. Do not rely on its answers yet.")
    limits += [
        "Pictures from another camera, place, light or group of people than those of "
        f"{origin} were not tested; expect less on them.",
        "It always names one of its classes, also for a picture of none of them, and its scores "
        "are not calibrated probabilities.",
    ]
    confusion, names = result.get("confusion"), wording.class_names(result)
    if confusion and len(confusion) == len(names):
        pairs = wording.confused_pairs(confusion, 3)
        if pairs:
            said = "; ".join(
                f"{_plain(names[true])} taken for {_plain(names[wrong])} ({times})"
                for true, wrong, times in pairs
            )
            limits.append(f"Most frequent mistakes on the test pictures: {said}.")
    listed = "\n".join(f"- {limit}" for limit in limits)
    return (
        "## Intended use and limits\n\n"
        "Naming the class of a picture that shows one of the classes below, on a phone, a small "
        "computer or a microcontroller. Not for decisions on people's health, safety or rights "
        f"without a test made for that use.\n\n{listed}"
    )


def _figures(result: dict) -> str:
    accuracy, parity = result.get("accuracy", {}), result.get("parity", {})
    model, tflite = result.get("model", {}), result.get("tflite", {})
    shares = [
        (f"accuracy, {FORMS[form]}", percent(accuracy.get(form)), wording.interval(result, form))
        for form in FORMS
    ]
    pieces = tflite.get("partitions")
    peak = tflite.get("peak_activation_bytes", model.get("peak_activation_bytes"))
    rows = (
        ("int8 file against float", points(wording.loss(result))),
        ("same class, file and network", percent(parity.get("top1_agreement"))),
        ("scores within one integer step", percent(parity.get("within_1_lsb"))),
        ("file", _with_exact(tflite.get("bytes"))),
        ("parameters", count(model.get("parameters"))),
        ("multiply-adds per picture", count(model.get("macs"))),
        ("peak of activations", _with_exact(peak)),
        ("float tensors", count(tflite.get("float_tensors"))),
        ("XNNPACK pieces", count(pieces)),
        ("oldest TFLite runtime", tflite.get("min_runtime", NOT_MEASURED)),
    )
    tested = plural(wording.tested(result), "test picture")
    accuracies = _table((f"on {tested}", "share", "95% interval"), shares)
    return f"## Figures\n\n{accuracies}\n\n{_table(('', ''), rows)}"


def _with_exact(number: int | None) -> str:
    if measured(number) and number >= 1024:
        return f"{size(number)} ({count(number)} bytes)"
    return size(number)


def _ends(result: dict, file: str) -> str:
    tflite, guide = result.get("tflite", {}), feeding(result, file)
    if not tflite.get("input") or not tflite.get("output"):
        return ""
    rows = []
    for end in ("input", "output"):
        tensor = tflite[end]
        scale, zero = tensor.get("scale"), tensor.get("zero_point")
        grid = (f"{scale:.9g}", zero) if measured(scale) else ("none", "none")
        shape = " × ".join(map(str, tensor.get("shape", ())))  # noqa: RUF001
        rows.append((end, tensor.get("dtype"), shape, *grid))
    text = "## Input and output\n\n"
    text += _table(("", "type", "shape", "scale", "zero point"), rows)
    if guide:
        text += f"\n\n{guide[0]}\n\n## How to run it\n\n```python\n{guide[1]}```\n\n"
        text += "Needs `pip install ai-edge-litert numpy pillow`; `labels.txt` is also in the file."
    return text


def _data(result: dict) -> str:
    data, names = result.get("data", {}), wording.class_names(result)
    if not data:
        return ""
    parts = [f"{count(data.get(part))} for {part}" for part in ("train", "validation", "test")]
    parts[0] = parts[0].replace("train", "training")
    text = f"{_plain(wording.source(result))}: {', '.join(parts)}"
    skipped = len(data.get("skipped") or ())
    if skipped:
        text += f"; {plural(skipped, 'file')} skipped (reasons in `report.html`)"
    listed = ", ".join(map(_plain, names[:_CLASSES]))
    if len(names) > _CLASSES:
        listed += f" and {len(names) - _CLASSES:,} more, all in `labels.txt`"
    fingerprint = _plain(data.get("fingerprint", "unknown"))
    return f"## Training data\n\n{text}. Fingerprint {fingerprint}.\n\nClasses: {listed}."


def _making(result: dict, settings: dict) -> str:
    history = result.get("history", {})
    epochs = {name: len((history.get(name) or {}).get("loss", ())) for name in ("float", "qat")}
    steps = []
    if epochs["float"]:
        steps.append(f"trained for {plural(epochs['float'], 'epoch')} in float")
    if "qat" in history:
        steps.append(f"{plural(epochs['qat'], 'epoch')} of quantization-aware training")
    if result.get("tflite"):
        steps.append("converted to a `.tflite`")
    if result.get("parity"):
        steps.append("compared with the network it was made of on every test picture")
    text = ", ".join(steps)
    text = f"{text[0].upper()}{text[1:]}." if text else "Not trained yet."
    versions = ", ".join(f"{_plain(n)} {_plain(v)}" for n, v in result.get("versions", {}).items())
    if versions:
        text += f" With {versions}."
    return f"## How it was made\n\n{text}\n\n```sh\n{reproduce(result, settings)}\n```"
