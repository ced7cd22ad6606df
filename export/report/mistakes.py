"""The part of the report on mistakes: confusion, pairs of classes, pictures."""

from pathlib import Path

from mobilenet_tf.deployment.report import wording
from mobilenet_tf.deployment.report.markup import (
    heat_map,
    name,
    paragraph,
    section,
    table,
    thumbnail,
)
from mobilenet_tf.deployment.report.wording import count, percent, plural

_NUMBERED, _MAPPED = 20, 200
_PAIRS, _HARDEST = 10, 10


def mistakes(result: dict, folder: Path) -> str:
    confusion, names = result.get("confusion"), wording.class_names(result)
    parts = []
    if confusion and len(names) == len(confusion):
        if len(names) <= _NUMBERED:
            parts.append(_matrix(confusion, names))
        elif len(names) <= _MAPPED:
            parts.append(_map(confusion))
        pairs = wording.confused_pairs(confusion, _PAIRS)
        rows = [
            (name(names[true]), name(names[said]), count(number), count(sum(confusion[true])))
            for true, said, number in pairs
        ]
        columns = ("true class", "named", "times", "of")
        shown = table(columns, rows, left=2) if rows else paragraph("No picture was named wrong.")
        lists = [f"<div><h3>Most confused</h3>{shown}</div>"]
        if len(names) > _NUMBERED:
            lists.append(_hardest(confusion, names))
        parts.append(f'<div class="columns">{"".join(lists)}</div>')
    parts.append(_worst(result.get("worst") or [], folder))
    note = f"The int8 file on {plural(wording.tested(result), 'test picture')}."
    return section("Where it is wrong", note, *parts)


def _matrix(confusion: list[list[int]], names: list[str]) -> str:
    """Counts; mistakes are tinted by their share of the true class."""
    head = "".join(f"<th><span>{name(text)}</span></th>" for text in names)
    tall = " tall" if max(map(len, names)) > 7 else ""
    body = []
    recalls = wording.recalls(confusion)
    for row, counts in enumerate(confusion):
        cells = []
        for column, number in enumerate(counts):
            if row == column:
                cells.append(f'<td class="right">{number}</td>')
            elif number:
                opacity = 0.15 + 0.6 * number / sum(counts)
                tint = f"background:rgba(var(--alert),{opacity:.2f})"
                cells.append(f'<td class="wrong" style="{tint}">{number}</td>')
            else:
                cells.append('<td class="zero">·</td>')
        share = percent(recalls[row]) if recalls[row] is not None else "no pictures"
        body.append(
            f'<tr><th scope="row">{name(names[row])}</th>{"".join(cells)}'
            f'<td class="n">{share}</td></tr>'
        )
    return (
        '<h3>Confusion matrix</h3><p class="note">Rows are true classes, columns what was named; '
        "the last column is the share named right. Blue is right, orange is wrong.</p>"
        f'<div class="scroll"><table class="matrix{tall}">'
        f"<thead><tr><td></td>{head}<td></td></tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _map(confusion: list[list[int]]) -> str:
    return (
        '<h3>Confusion matrix</h3><p class="note">Rows are true classes, columns what was named, '
        f"{len(confusion)} classes in order; blue is right, orange is wrong.</p>"
        f'<figure class="heat">{heat_map(confusion)}</figure>'
    )


def _hardest(confusion: list[list[int]], names: list[str]) -> str:
    known = [
        (share, row) for row, share in enumerate(wording.recalls(confusion)) if share is not None
    ]
    rows = [
        (name(names[row]), percent(share), count(sum(confusion[row])))
        for share, row in sorted(known)[:_HARDEST]
    ]
    return f"<div><h3>Hardest classes</h3>{table(('class', 'named right', 'pictures'), rows)}</div>"


def _worst(worst: list[dict], folder: Path) -> str:
    items = []
    for item in worst:
        image = thumbnail(folder, str(item.get("picture", ""))) or '<span class="blank">–</span>'  # noqa: RUF001
        score = percent(item.get("score"))
        items.append(
            f"<li>{image}<div>{name(item.get('label'))} → "
            f"<b>{name(item.get('predicted'))}</b></div>"
            f'<div class="note">{score} · {name(item.get("file"))}</div></li>'
        )
    if not items:
        return ""
    note = "True class → the class it named, the score it gave, the file."
    return (
        f"<h3>Wrong with most confidence</h3>{paragraph(note, 'note')}"
        f'<ol class="wrong">{"".join(items)}</ol>'
    )
