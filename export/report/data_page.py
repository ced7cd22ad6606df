"""The page about pictures before training: what is wrong with them, with thumbnails."""

import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from mobilenet_tf.core.files import write_text
from mobilenet_tf.datasets.contents import reasons_text
from mobilenet_tf.datasets.survey.findings import Finding, findings_of
from mobilenet_tf.datasets.survey.survey import imbalance
from mobilenet_tf.deployment.report.format import capitalized, count, plural
from mobilenet_tf.deployment.report.markup import (
    Html,
    data_uri,
    esc,
    facts,
    name,
    paragraph,
    section,
    table,
)

Result = Mapping[str, Any]
Thumbnails = Mapping[str, np.ndarray]

_MOST_GROUPS, _MOST_PICTURES = 24, 6  # shown of a finding, and of each of its groups
_EXPLAINED = {
    "labels": "They are left out of training.",
    "repaired": "Training repairs them in the same way, every time. Correct the files.",
    "classes": "A network cannot learn both. Remove the picture from the class it does not show.",
    "splits": "What was trained is tested: the accuracy will look better than it is.",
    "groups": "A network may know persons or places of the test images from training.",
    "exact": "Copies add nothing, and weigh more than other pictures.",
    "near": "Copies in another size, quality or brightness.",
    "unreadable": "They are left out of training.",
    "plain": "There is nothing to see in them.",
    "dark": "The mean grey level is low.",
    "blurred": "Fine detail is missing, compared with the other pictures.",
    "aspect": "A network sees the square in the middle, unless it stretches or pads them.",
    "grey": "A network may learn that grey pictures belong to a class.",
    "exif": "They are read as they are stored, which may be sideways.",
    "rotated": "Programs that ignore EXIF data show them sideways.",
    "extension": "Other programs may refuse them.",
}


def shown_pictures(result: Result) -> list[str]:
    """Return the names of the pictures of which the page shows a thumbnail."""
    names = (
        file
        for one in findings_of(result["findings"])
        for group, _ in _shown(one)
        for file in group
        if one.kind != "unreadable"
    )
    return list(dict.fromkeys(names))


def write_data_page(result: Result, thumbnails: Thumbnails, path: Path) -> None:
    """Write the page.

    Args:
        result: What `commands.data` returns.
        thumbnails: Name -> uint8 (height, width, 3), as far as they are known.
        path: The page.

    Raises:
        UserError: The file cannot be written.
    """
    template = resources.files("mobilenet_tf.deployment.report").joinpath("template.html")
    parts = (
        _header(result),
        *(_finding(one, thumbnails) for one in findings_of(result["findings"])),
        _classes(result),
        _files(result),
    )
    page = Template(template.read_text(encoding="utf-8")).substitute(
        title=esc(f"The pictures of {result['source']}"), body="\n".join(filter(None, parts))
    )
    write_text(path, page)


def _shown(one: Finding) -> list[tuple[tuple[str, ...], str]]:
    pairs = zip(one.groups[:_MOST_GROUPS], one.details, strict=False)
    return [(group[:_MOST_PICTURES], detail) for group, detail in pairs]


def _header(result: Result) -> str:
    over = f"{plural(result['images'], 'picture')} · {len(result['classes'])} classes"
    lead = result["problem"] or "A network can be trained on these pictures."
    rows = [
        (Html(f'<a href="#{one.kind}">{esc(one)}</a>'), one.details[0])
        for one in findings_of(result["findings"])
    ]
    found = paragraph("Nothing unusual was found.")
    if rows:
        found = table(("found", "the first of them"), rows, left=2)
    title = esc(f"The pictures of {result['source']}")
    return (
        f'<header>\n<p class="over">{esc(over)}</p>\n<h1>{title}</h1>'
        f"{paragraph(lead, 'lead')}{found}</header>"
    )


def _finding(one: Finding, thumbnails: Thumbnails) -> str:
    items = "".join(
        f"<li>{_thumbnail(file, thumbnails)}<div>{name(file)}</div>"
        f'<div class="note">{esc(detail)}</div></li>'
        for group, detail in _shown(one)
        for file in group
    )
    hidden = one.pictures - sum(len(group) for group, _ in _shown(one))
    rest = paragraph(f"{count(hidden)} more are in the output of --json.", "note") if hidden else ""
    shown = f'<ol class="wrong" id="{one.kind}">{items}</ol>'
    return section(str(one), _EXPLAINED[one.kind], shown, rest)


def _thumbnail(file: str, thumbnails: Thumbnails) -> str:
    pixels = thumbnails.get(file)
    if pixels is None:
        return '<span class="blank">–</span>'  # noqa: RUF001
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80)
    return f'<img src="{data_uri(stream, "jpeg")}" alt="">'


def _classes(result: Result) -> str:
    splits = list(next(iter(result["classes"].values()), {}))
    rows = [
        (name(label), *(count(counts[split]) for split in splits))
        for label, counts in result["classes"].items()
    ]
    note = imbalance(result["classes"])
    return section("Classes", note, table(("class", *splits), rows))


def _files(result: Result) -> str:
    rows = [
        *((f"{one['width']}x{one['height']}", count(one["images"])) for one in result["sizes"]),
        *((kind, count(number)) for kind, number in result["formats"].items()),
        *((f"mode {mode}", count(number)) for mode, number in result["modes"].items()),
    ]
    left_out = "; ".join(reasons_text(result["skipped"], "left out"))
    below = paragraph(f"{capitalized(left_out)}.", "note") if left_out else ""
    return section("Files", "The most frequent sizes, formats and modes.", facts(rows), below)
