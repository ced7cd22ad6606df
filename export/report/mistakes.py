"""The section of the report on mistakes: confusion matrix, confused classes, images."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.deployment.report.derived import Confusion, confused_pairs, recalls
from mobilenet_tf.deployment.report.format import count, percent, plural
from mobilenet_tf.deployment.report.markup import (
    gallery,
    heat_map,
    name,
    paragraph,
    section,
    table,
)
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.sections import Mistake

# Up to these numbers of classes the confusion matrix is shown with counts, and as an image.
_MOST_WITH_COUNTS, _MOST_AS_IMAGE = 20, 200
_PAIRS, _HARDEST = 10, 10


def mistakes(result: Result, folder: Path) -> str:
    """Return the section on mistakes; `folder` is the run folder, which has the images."""
    confusion, names = result.confusion, result.class_names
    parts = []
    if confusion and len(names) == len(confusion):
        if len(names) <= _MOST_WITH_COUNTS:
            parts.append(_matrix(confusion, names))
        elif len(names) <= _MOST_AS_IMAGE:
            parts.append(_image(confusion))
        lists = _most_confused(confusion, names)
        if len(names) > _MOST_WITH_COUNTS:
            lists += _hardest(confusion, names)
        parts.append(f'<div class="columns">{lists}</div>')
    parts.append(_most_confident(result.worst, folder))
    note = f"The int8 file on {plural(result.test_images, 'test image')}."
    return section("Mistakes", note, *parts)


def _matrix(confusion: Confusion, names: Sequence[str]) -> str:
    """Return the matrix with counts; mistakes are tinted by their share of the true class."""
    head = "".join(f"<th><span>{name(text)}</span></th>" for text in names)
    tall = " tall" if max(map(len, names)) > 7 else ""
    body = []
    for row, (counts, recall) in enumerate(zip(confusion, recalls(confusion), strict=True)):
        cells = "".join(
            _cell(number, sum(counts), row == column) for column, number in enumerate(counts)
        )
        share = "no images" if recall is None else percent(recall)
        body.append(
            f'<tr><th scope="row">{name(names[row])}</th>{cells}<td class="n">{share}</td></tr>'
        )
    return (
        '<h3>Confusion matrix</h3><p class="note">Rows are true classes, columns are predicted '
        "classes; the last column is the share predicted correctly. Blue is correct, orange is "
        f'wrong.</p><div class="scroll"><table class="matrix{tall}">'
        f"<thead><tr><td></td>{head}<td></td></tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(number: int, total: int, correct: bool) -> str:
    if correct:
        return f'<td class="right">{number}</td>'
    if not number:
        return '<td class="zero">·</td>'
    tint = f"background:rgba(var(--alert),{0.15 + 0.6 * number / total:.2f})"
    return f'<td class="wrong" style="{tint}">{number}</td>'


def _image(confusion: Confusion) -> str:
    return (
        '<h3>Confusion matrix</h3><p class="note">Rows are true classes, columns are predicted '
        f"classes, {len(confusion)} classes in order; blue is correct, orange is wrong.</p>"
        f'<figure class="heat">{heat_map(confusion)}</figure>'
    )


def _most_confused(confusion: Confusion, names: Sequence[str]) -> str:
    rows = [
        (name(names[true]), name(names[predicted]), count(number), count(sum(confusion[true])))
        for true, predicted, number in confused_pairs(confusion, _PAIRS)
    ]
    columns = ("true class", "predicted", "times", "of")
    shown = table(columns, rows, left=2) if rows else paragraph("Every image is correct.")
    return f"<div><h3>Most confused</h3>{shown}</div>"


def _hardest(confusion: Confusion, names: Sequence[str]) -> str:
    known = [(share, row) for row, share in enumerate(recalls(confusion)) if share is not None]
    rows = [
        (name(names[row]), percent(share), count(sum(confusion[row])))
        for share, row in sorted(known)[:_HARDEST]
    ]
    columns = ("class", "predicted correctly", "images")
    return f"<div><h3>Hardest classes</h3>{table(columns, rows)}</div>"


def _most_confident(worst: Sequence[Mistake], folder: Path) -> str:
    items = (
        (
            item.picture,
            f"{name(item.label)} → <b>{name(item.predicted)}</b>",
            f"{percent(item.score)} · {name(item.file)}",
        )
        for item in worst
    )
    note = "True class → predicted class; score of the prediction; file."
    shown = gallery(folder, items)
    return shown and f"<h3>Most confident mistakes</h3>{paragraph(note, 'note')}{shown}"
