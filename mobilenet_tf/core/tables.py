"""Tables of results, for the terminal and for notebooks."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from mobilenet_tf.core.text import clean, clean_name


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> Table:
    """Return a plain table; all columns but the first are right-aligned.

    Without column names, the table has no head, and texts, which are left-aligned.
    """
    headed = any(columns)
    result = Table(
        title=None if title is None else plain(title), title_justify="left", show_header=headed
    )
    for index, column in enumerate(columns):
        justify: JustifyMethod = "right" if index and headed else "left"
        result.add_column(plain(column), justify=justify, overflow="fold")
    for row in rows:
        result.add_row(*map(plain, row))
    return result


def plain(text: object) -> Text:
    """Return a name or a number as it is: not as markup, because it may contain brackets."""
    return Text(clean_name(text))


def percent(share: float | None) -> str:
    """Return a share in per cent, or a dash if it is unknown."""
    return "-" if share is None else f"{share:.2%}"


def parts(shown: Any) -> Iterator[Any]:
    """Yield the tables and texts of which something consists; texts are made safe to show.

    Args:
        shown: What Rich can print: a table, a text, a group, or an object with `__rich__`.
    """
    if isinstance(shown, Group):
        for part in shown.renderables:
            yield from parts(part)
    elif isinstance(shown, Text):
        yield Text("\n".join(map(clean, shown.plain.split("\n"))))
    elif isinstance(shown, Table):
        yield shown
    else:
        yield from parts(shown.__rich__())


def html(shown: RenderableType) -> str:
    """Return tables and texts as HTML; names in them are escaped.

    Args:
        shown: As for `parts`.
    """
    return "\n".join(
        _html_table(part) if isinstance(part, Table) else _html_text(part) for part in parts(shown)
    )


def html_image(content: bytes) -> str:
    """Return a PNG as HTML that contains it."""
    return f'<img src="data:image/png;base64,{b64encode(content).decode()}">'


def _html_text(text: Text) -> str:
    return f"<p>{escape(text.plain).replace(chr(10), '<br>')}</p>"


def _html_table(shown: Table) -> str:
    def row(tag: str, cells: Sequence[Any]) -> str:
        return "".join(
            f'<{tag} style="text-align: {column.justify}">{escape(str(cell))}</{tag}>'
            for column, cell in zip(shown.columns, cells, strict=True)
        )

    caption = f"<caption>{escape(str(shown.title))}</caption>" if shown.title else ""
    head = row("th", [column.header for column in shown.columns]) if shown.show_header else ""
    rows = zip(*(column.cells for column in shown.columns), strict=True)
    lines = [head, *(row("td", cells) for cells in rows)]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines if line)
    return f"<table>{caption}\n{body}\n</table>"
