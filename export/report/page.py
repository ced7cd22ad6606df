"""`report.html`: the metrics of a run on one page that opens offline, in light and dark.

Everything on it is read from `result.json`, and the images are those that it lists.
"""

from importlib import resources
from pathlib import Path
from string import Template

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.deployment.report import file_sections, sections, task_sections
from mobilenet_tf.deployment.report.adaptation import adaptation
from mobilenet_tf.deployment.report.compression import compression
from mobilenet_tf.deployment.report.derived import (
    counted_images,
    dataset_title,
    interval,
    network_title,
)
from mobilenet_tf.deployment.report.format import count, percent, points, size
from mobilenet_tf.deployment.report.markup import Html, esc, paragraph, table
from mobilenet_tf.deployment.report.mistakes import mistakes
from mobilenet_tf.deployment.report.suspects import suspects
from mobilenet_tf.deployment.report.verdict import checks, headline, verdict
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result, read_result

# Outcome of a check -> CSS class and text.
_OUTCOMES = {
    True: ("yes", "✓ passed"),
    False: ("no", "✗ failed"),
    None: ("open", "– open"),  # noqa: RUF001
}


def write_report(run: RunFolder) -> Path:
    """Write `report.html` from `result.json` and return its path.

    Raises:
        UserError: The run has no metrics yet, or the file cannot be written.
    """
    result = require_result(run)
    parts = (
        _header(result),
        sections.scores(result),
        sections.training(result),
        adaptation(result),
        compression(result),
        mistakes(result, run.path),
        *task_sections.metrics(result),
        *task_sections.pictures(result, run.path),
        suspects(result, run),
        sections.robustness(result),
        file_sections.content(result),
        file_sections.inputs_and_outputs(result, run.tflite.name),
        file_sections.blocks(result),
        sections.dataset(result),
        sections.origin(result, run),
    )
    template = resources.files("mobilenet_tf.deployment.report").joinpath("template.html")
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=esc(f"{network_title(result)}: {dataset_title(result)}"),
        body="\n".join(part for part in parts if part),
    )
    write_text(run.report, page)
    return run.report


def require_result(run: RunFolder) -> Result:
    """Return the result of a run that has one.

    Raises:
        UserError: The run has no metrics yet.
    """
    result = read_result(run.result_file)
    if not result:
        raise UserError(f"{run.path} has no metrics in result.json yet; run `train` first.")
    return result


def _header(result: Result) -> str:
    rows = []
    for check in checks(result):
        kind, text = _OUTCOMES[check.passed]
        outcome = Html(f'<span class="state {kind}">{text}</span>')
        rows.append((check.name, check.found, check.required, outcome))
    over = f"{network_title(result)} · {dataset_title(result)}"
    lead = " ".join(verdict(result))
    return "\n".join(
        (
            f'<header>\n<p class="over">{esc(over)}</p>\n<h1>{esc(headline(result))}</h1>',
            paragraph(lead, "lead") if lead else "",
            _key_metrics(result),
            table(("check", "measured", "required", ""), rows) + "</header>",
        )
    )


def _key_metrics(result: Result) -> str:
    """Return the few large numbers at the top of the page."""
    known, file, agreement = result.score, result.tflite, result.parity.top1_agreement
    tiles = []
    if known.int8 is not None:
        spread = f"95% interval {interval(result, 'int8')}" if counted_images(result) else ""
        tiles.append((f"int8 {result.task_class.title()}", percent(known.int8), spread))
    if result.int8_difference is not None:
        difference = points(result.int8_difference)
        tiles.append(("compared with float", difference, f"float {percent(known.float)}"))
    if file.bytes is not None:
        tiles.append(("file size", size(file.bytes), f"{count(file.bytes)} bytes"))
    if agreement is not None:
        images = f"{result.task_class.agreed}"
        tiles.append(("file agrees with network", percent(agreement), images))
    if len(tiles) < 2 and result.model.parameters is not None:
        tiles.append(("parameters", count(result.model.parameters), ""))
    boxes = "".join(
        f'<div><dt>{esc(title)}</dt><dd class="figure">{_large(value)}</dd>'
        f'<dd class="side">{esc(side)}</dd></div>'
        for title, value, side in tiles
    )
    return f'<dl class="key">{boxes}</dl>' if boxes else ""


def _large(text: str) -> str:
    """Return a number with its unit in small letters."""
    number, _, unit = text.partition(" ")
    return f"{esc(number)}&nbsp;<small>{esc(unit)}</small>" if unit else esc(number)
