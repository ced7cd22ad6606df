"""`MODEL_CARD.md`: what users of the file need to know, from `result.json`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.text import code_block, markdown
from mobilenet_tf.deployment.report.derived import (
    FORMS,
    confused_pairs,
    counted_images,
    curves_by_stage,
    dataset_title,
    interval,
    network_title,
)
from mobilenet_tf.deployment.report.file_sections import TENSOR_COLUMNS, tensor_rows
from mobilenet_tf.deployment.report.format import (
    NOT_MEASURED,
    capitalized,
    count,
    percent,
    plural,
    points,
    size,
)
from mobilenet_tf.deployment.report.page import require_result
from mobilenet_tf.deployment.report.snippets import expectation, inference_code, reproduce
from mobilenet_tf.deployment.report.task_sections import table_rows
from mobilenet_tf.deployment.report.verdict import headline, verdict
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.task_sections import Table

_SHOWN_CLASSES = 100
_LICENCE = (
    "## Licence\n\n"
    "*To be filled in by whoever publishes the model: its own licence, and that of the training "
    "images.*"
)


def write_card(run: RunFolder) -> Path:
    """Write `MODEL_CARD.md` from `result.json` and return its path.

    Raises:
        UserError: The run has no metrics yet, or the file cannot be written.
    """
    result = require_result(run)
    parts = (
        _opening(result),
        _use_and_limits(result),
        _metrics(result),
        _inputs_and_outputs(result, run.tflite.name),
        _data(result),
        _origin(result, run),
        _LICENCE,
    )
    write_text(run.card, "\n\n".join(part for part in parts if part) + "\n")
    return run.card


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; the first column is aligned to the left, the others to the right."""
    rule = "|".join([" --- ", *[" ---: "] * (len(columns) - 1)])
    lines = [" | ".join(map(markdown, row)) for row in (columns, *rows)]
    return "\n".join((f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])))


def _opening(result: Result) -> str:
    text = result.task_class.description(len(result.class_names), int8=bool(result.tflite))
    if image := result.model.input:
        colour = {1: "grey", 3: "RGB"}.get(image.channels, "")
        text += f" for {image.width} × {image.height} {colour} input"  # noqa: RUF001
    text += f", for images like those of {markdown(dataset_title(result))}."
    summary = " ".join((headline(result), *verdict(result)))
    return f"# {markdown(network_title(result))}\n\n{text}\n\n{markdown(summary)}"


def _use_and_limits(result: Result) -> str:
    score, number, title = result.score.int8, result.test_images, result.task_class.title()
    origin = markdown(dataset_title(result))
    limits = []
    if score is not None and number:
        text = f"The {title} of {percent(score)} was measured on {plural(number, 'test image')} "
        text += f"of {origin}"
        if counted_images(result):
            text += f"; its 95% Wilson interval is {interval(result, 'int8')}"
        limits.append(f"{text}.")
    else:
        limits.append(
            f"{capitalized(title)} of the int8 file: not measured. Do not rely on its predictions "
            "yet."
        )
    limits += [
        "Images from another camera, place, light or group of people than those of "
        f"{origin} were not tested; expect a lower {title} on them.",
        *result.task_class.limits,
    ]
    confusion, names = result.confusion, result.class_names
    pairs = confused_pairs(confusion, 3) if confusion and len(confusion) == len(names) else []
    if pairs:
        listed = "; ".join(
            f"{markdown(names[true])} predicted as {markdown(names[wrong])} ({times})"
            for true, wrong, times in pairs
        )
        limits.append(f"Most frequent mistakes on the test images: {listed}.")
    listed = "\n".join(f"- {limit}" for limit in limits)
    return (
        "## Intended use and limits\n\n"
        f"{result.task_class.use}, on a phone, a small computer or a microcontroller. Not for "
        "decisions on people's health, safety or rights without a test made for that use.\n\n"
        f"{listed}"
    )


def _metrics(result: Result) -> str:
    parity, model, file = result.parity, result.model, result.tflite
    score, counted = result.task_class.title(), counted_images(result)
    shares = [
        (
            f"{score}, {title}",
            percent(getattr(result.score, form)),
            *([interval(result, form)] if counted else []),
        )
        for form, title in FORMS.items()
    ]
    rows = (
        (f"{score} of the int8 file compared with float", points(result.int8_difference)),
        (result.task_class.agreed, percent(parity.top1_agreement)),
        ("scores that differ by at most 1 LSB", percent(parity.within_1_lsb)),
        ("file size", _with_exact(file.bytes)),
        ("parameters", count(model.parameters)),
        ("multiply-adds per image", count(model.macs)),
        ("peak activation memory", _with_exact(result.peak_activation_bytes)),
        ("float tensors", count(file.float_tensors)),
        ("XNNPACK partitions", count(file.partitions)),
        ("oldest TFLite runtime", file.min_runtime or NOT_MEASURED),
    )
    images = plural(result.test_images, "test image")
    columns = (f"on {images}", "share", *(["95% interval"] if counted else []))
    parts = _table(columns, shares), _table(("", ""), rows), *map(_detail, result.tables)
    return "\n\n".join(("## Metrics", *parts))


def _detail(found: Table) -> str:
    note = f"{markdown(found.note)}\n\n" if found.note else ""
    return f"### {markdown(found.title)}\n\n{note}{_table(found.columns, table_rows(found))}"


def _with_exact(number: int | None) -> str:
    if number is not None and number >= 1024:
        return f"{size(number)} ({count(number)} bytes)"
    return size(number)


def _inputs_and_outputs(result: Result, file: str) -> str:
    if not result.tflite.tensors:
        return ""
    text = f"## Input and output\n\n{_table(TENSOR_COLUMNS, tensor_rows(result, 'none'))}"
    if expected := expectation(result):
        text += f"\n\n{markdown(expected)}"
    if code := inference_code(result, file):
        text += f"\n\n{markdown(code.prepared)}\n\n## How to run it\n\n"
        text += f"{code_block(code.code, 'python')}\n\n"
        text += f"Needs `pip install {code.packages}`; `labels.txt` is also in the file."
    return text


def _data(result: Result) -> str:
    data, names = result.data, result.class_names
    if not data:
        return ""
    text = (
        f"{markdown(dataset_title(result))}: {count(data.train)} images for training, "
        f"{count(data.validation)} for validation, {count(data.test)} for test"
    )
    if data.skipped:
        text += f"; {plural(len(data.skipped), 'file')} skipped (reasons in `report.html`)"
    listed = ", ".join(map(markdown, names[:_SHOWN_CLASSES]))
    if len(names) > _SHOWN_CLASSES:
        listed += f" and {len(names) - _SHOWN_CLASSES:,} more, all in `labels.txt`"
    fingerprint = markdown(data.fingerprint or "unknown")
    return f"## Training data\n\n{text}. Fingerprint {fingerprint}.\n\nClasses: {listed}."


def _origin(result: Result, run: RunFolder) -> str:
    history, steps = result.history, []
    if history.float:
        epochs = len(history.float.get("loss", ()))
        steps.append(f"trained for {plural(epochs, 'epoch')} in float")
    for title, curves in curves_by_stage(result).items():
        if title in ("pruning", "clustering"):
            steps.append(f"{plural(len(curves.get('loss', ())), 'epoch')} of {title}")
    if history.qat is not None:
        epochs = len(history.qat.get("loss", ()))
        steps.append(f"{plural(epochs, 'epoch')} of quantization-aware training")
    if result.tflite:
        steps.append("converted to a `.tflite`")
    if result.parity:
        steps.append("compared with its network on every test image")
    text = ", ".join(steps)
    text = f"{text[0].upper()}{text[1:]}." if text else "Not trained yet."
    versions = ", ".join(f"{markdown(n)} {markdown(v)}" for n, v in result.versions.items())
    if versions:
        text += f" Versions: {versions}."
    if command := reproduce(result, run):
        text += f"\n\nThe same run again:\n\n{code_block(command, 'sh')}"
    return f"## How it was made\n\n{text}"
