"""HTML from values: whatever is not marked as HTML is escaped."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.deployment.report.wording import clean

# Larger thumbnails are made smaller, so that twelve photos do not make the file.
_LARGEST, _SMALL = 224, 64


class Html(str):
    """Text that is HTML already."""


def esc(value) -> str:
    return value if isinstance(value, Html) else escape(clean(value))


def name(value) -> Html:
    """A name from outside, kept apart from the direction of the text around it."""
    return Html(f"<bdi>{esc(value)}</bdi>")


def paragraph(text, kind: str = "") -> str:
    return f'<p class="{kind}">{esc(text)}</p>' if kind else f"<p>{esc(text)}</p>"


def section(title: str, note: str, *parts: str | None) -> str:
    """A part of the page; nothing if it has no content."""
    content = "\n".join(part for part in parts if part)
    lead = paragraph(note, "note") if note else ""
    return f"<section>\n<h2>{esc(title)}</h2>{lead}\n{content}\n</section>" if content else ""


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence],
    left: int = 1,
    strong: int | None = None,
    wide: bool = True,
) -> str:
    """A table.

    Args:
        columns: heads; all empty for none.
        rows: cells.
        left: columns of text; the others are figures, to the right.
        strong: row to emphasise.
        wide: over the whole width.
    """
    kinds = ["" if index < left else ' class="n"' for index in range(len(columns))]

    def line(tag: str, cells: Sequence) -> str:
        return "".join(f"<{tag}{k}>{esc(c)}</{tag}>" for c, k in zip(cells, kinds, strict=True))

    head = f"<thead><tr>{line('th', columns)}</tr></thead>" if any(columns) else ""
    marks = {strong: ' class="strong"'}
    body = "\n".join(
        f"<tr{marks.get(index, '')}>{line('td', row)}</tr>" for index, row in enumerate(rows)
    )
    kind = ' class="wide"' if wide else ""
    return f'<div class="scroll"><table{kind}>{head}<tbody>\n{body}\n</tbody></table></div>'


def facts(rows: Iterable[tuple]) -> str:
    """Names and their values."""
    return table(("", ""), rows)


def folded(title: str, content: str) -> str:
    return f"<details><summary>{esc(title)}</summary>\n{content}\n</details>"


def drawing(svg: str | None, caption: str, keys: Sequence[tuple[str, str]] = ()) -> str:
    """A plot with its caption and the keys of its colours."""
    if svg is None:
        return ""
    legend = "".join(
        f'<span><i style="background:var(--{colour})"></i>{esc(text)}</span>'
        for colour, text in keys
    )
    caption = f"<figcaption>{esc(caption)}{legend}</figcaption>" if caption else ""
    return f'<figure>{caption}<div class="scroll">{svg}</div></figure>'


def thumbnail(folder: Path, relative: str) -> str | None:
    """A picture of the run folder as an element; None if it is outside or cannot be read."""
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        return None
    try:
        with Image.open(path) as image:
            image = image.convert("RGB" if image.mode not in ("L", "1") else "L")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    small = max(image.size) <= _SMALL
    image.thumbnail((_LARGEST, _LARGEST))
    stream = io.BytesIO()
    if small:
        image.save(stream, "PNG", optimize=True)
    else:
        image.save(stream, "JPEG", quality=85)
    kind, uri = ' class="small"' if small else "", data_uri(stream, "png" if small else "jpeg")
    return f'<img{kind} src="{uri}" alt="">'


def heat_map(confusion: Sequence[Sequence[int]]) -> str:
    """One pixel per cell, as opaque as its share of the row; any colour may lie behind it."""
    counts = np.array(confusion, float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    pixels = np.empty((*share.shape, 4), np.uint8)
    pixels[...] = (222, 118, 40, 0)
    pixels[np.arange(len(share)), np.arange(len(share)), :3] = (24, 138, 171)
    # The root shows single mistakes beside hundreds of hits.
    pixels[..., 3] = np.rint(255 * np.sqrt(share))
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG", optimize=True)
    return f'<img src="{data_uri(stream, "png")}" alt="Confusion matrix as a heat map">'


def data_uri(stream: io.BytesIO, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
