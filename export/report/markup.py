"""HTML from values. Everything that is not marked as HTML is escaped."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core.text import clean

# Sides in pixels. Larger thumbnails are scaled down so that they do not dominate the file size;
# small ones are stored without loss.
_LARGEST, _SMALL = 224, 64
_NO_IMAGE = '<span class="blank">–</span>'  # noqa: RUF001


class Html(str):
    """Text that is already HTML."""


def esc(value: object) -> str:
    """Return a value as HTML."""
    return value if isinstance(value, Html) else escape(clean(value))


def name(value: object) -> Html:
    """Return a name from outside, isolated from the text direction around it."""
    return Html(f"<bdi>{esc(value)}</bdi>")


def paragraph(text: object, kind: str = "") -> str:
    """Return a paragraph; `kind` is its CSS class."""
    return f'<p class="{kind}">{esc(text)}</p>' if kind else f"<p>{esc(text)}</p>"


def section(title: str, note: str, *parts: str | None) -> str:
    """Return a section of the page, or nothing if none of the parts has content."""
    content = "\n".join(part for part in parts if part)
    lead = paragraph(note, "note") if note else ""
    return f"<section>\n<h2>{esc(title)}</h2>{lead}\n{content}\n</section>" if content else ""


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    left: int = 1,
    strong: int | None = None,
) -> str:
    """Return a table.

    Args:
        columns: Column titles; without a header row if all are empty.
        rows: Cells.
        left: Number of columns with text; the others hold numbers and are aligned to the right.
        strong: Row to emphasise.
    """
    kinds = ["" if index < left else ' class="n"' for index in range(len(columns))]

    def line(tag: str, cells: Sequence[object]) -> str:
        return "".join(f"<{tag}{k}>{esc(c)}</{tag}>" for c, k in zip(cells, kinds, strict=True))

    head = f"<thead><tr>{line('th', columns)}</tr></thead>" if any(columns) else ""
    marks = {strong: ' class="strong"'}
    body = "\n".join(
        f"<tr{marks.get(index, '')}>{line('td', row)}</tr>" for index, row in enumerate(rows)
    )
    return f'<div class="scroll"><table class="wide">{head}<tbody>\n{body}\n</tbody></table></div>'


def facts(rows: Iterable[Sequence[object]]) -> str:
    """Return a table of names and values."""
    return table(("", ""), rows)


def folded(title: str, content: str) -> str:
    """Return content that is hidden until its title is clicked."""
    return f"<details><summary>{esc(title)}</summary>\n{content}\n</details>"


def chart(svg: str | None, caption: str, keys: Sequence[tuple[str, str]] = ()) -> str:
    """Return a chart with its caption and a legend of (CSS colour, text); nothing for None."""
    if svg is None:
        return ""
    legend = "".join(
        f'<span><i style="background:var(--{colour})"></i>{esc(text)}</span>'
        for colour, text in keys
    )
    caption = f"<figcaption>{esc(caption)}{legend}</figcaption>" if caption else ""
    return f'<figure>{caption}<div class="scroll">{svg}</div></figure>'


def thumbnail(folder: Path, relative: str) -> str | None:
    """Return an image of the run folder as an element.

    Returns None if the path leads out of the folder or the image cannot be read.
    """
    try:
        path = (folder / relative).resolve()
    except (OSError, ValueError):  # a name that no file can have
        return None
    if not path.is_relative_to(folder.resolve()):
        return None
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB" if opened.mode not in ("L", "1") else "L")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    small, wide = max(image.size) <= _SMALL, image.width > 2 * image.height
    image.thumbnail((3 * _LARGEST if wide else _LARGEST, _LARGEST))
    stream = io.BytesIO()
    if small:
        image.save(stream, "PNG", optimize=True)
    else:
        image.save(stream, "JPEG", quality=85)
    kinds = " ".join(["small"] * small + ["wide"] * wide)
    kind, uri = f' class="{kinds}"' if kinds else "", data_uri(stream, "png" if small else "jpeg")
    return f'<img{kind} src="{uri}" alt="">'


def gallery(folder: Path, items: Iterable[tuple[str | None, str, str]]) -> str:
    """Return images of the run folder with captions; nothing if there are none.

    Args:
        folder: The run folder.
        items: Path of an image relative to it, if there is one; a caption and a note, as HTML.
    """
    entries = "".join(
        f"<li>{(picture and thumbnail(folder, picture)) or _NO_IMAGE}"
        f'{caption and f"<div>{caption}</div>"}<div class="note">{note}</div></li>'
        for picture, caption, note in items
    )
    return f'<ol class="wrong">{entries}</ol>' if entries else ""


def heat_map(confusion: Sequence[Sequence[int]]) -> str:
    """Return a confusion matrix as an image with one pixel per cell.

    The opacity is the share of the true class, so any background colour works.
    """
    counts = np.array(confusion, float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    pixels = np.empty((*share.shape, 4), np.uint8)
    pixels[...] = (222, 118, 40, 0)
    pixels[np.arange(len(share)), np.arange(len(share)), :3] = (24, 138, 171)
    # The square root makes single mistakes visible beside hundreds of correct answers.
    pixels[..., 3] = np.rint(255 * np.sqrt(share))
    stream = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(stream, "PNG", optimize=True)
    return f'<img src="{data_uri(stream, "png")}" alt="Confusion matrix as a heat map">'


def data_uri(stream: io.BytesIO, kind: str) -> str:
    """Return an image as a URL that contains it; `kind` is png or jpeg."""
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
