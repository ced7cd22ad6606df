"""Sections of documents that programs render from JSON files in docs/."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHARED = ROOT.parent / "shared"  # data and weights, which do not belong to the repository


@dataclass(frozen=True)
class Section:
    """The part of a document between `<!-- NAME -->` and `<!-- /NAME -->`.

    Attributes:
        name: Name of the section.
        render: Function that returns the content of the JSON file as Markdown.
        document: Path of the document from the repository's root.
        source: Name of the JSON file in docs/, without suffix; by default that of the section.
    """

    name: str
    render: Callable[[Any], str]
    document: str = "docs/benchmarks.md"
    source: str | None = None

    @property
    def file(self) -> Path:
        """The JSON file."""
        return DOCS / f"{self.source or self.name}.json"

    def content(self) -> Any:
        """Return the content of the JSON file."""
        return json.loads(self.file.read_text(encoding="utf-8"))

    def text(self) -> str:
        """Render the section from its JSON file, which is empty before a measurement."""
        content = self.content()
        return self.render(content) if content else "Not measured yet."

    def write(self) -> None:
        """Render the section and put it into the document."""
        replace_section(ROOT / self.document, self.name, self.text())

    def save(self, content: Any) -> None:
        """Write new content into the JSON file, and the section into the document."""
        write_measurements(self.file, content)
        self.write()

    def save_rows(self, measured: Sequence[Mapping[str, Any]], key: str) -> None:
        """Save the rows of a table of which some were measured again, see `merged`."""
        self.save(merged(self.content() or [], measured, key))

    def save_or_print(self, content: Any, *, dry: bool) -> None:
        """Save new content; with `dry`, print what it renders and leave the document as it is."""
        if dry:
            print(self.render(content))
        else:
            self.save(content)


def write_measurements(path: Path, content: Any) -> None:
    """Write a JSON file of measurements."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def merged(
    earlier: Iterable[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]], key: str
) -> list[Mapping[str, Any]]:
    """Return the rows of a table of which some were measured again.

    Args:
        earlier: Rows of the table.
        measured: Rows that replace those with the same value of `key`; they stand at the end.
        key: Field that tells what a row is about.
    """
    again = {row[key] for row in measured}
    return [*(row for row in earlier if row[key] not in again), *measured]


def replace_section(document: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        UserError: The document has no such section.
    """
    before, _, after = _split(document, name)
    start, end = _marks(name)
    write_text(document, f"{before}{start}\n{text}\n{end}{after}")


def read_section(document: Path, name: str) -> str:
    """Return the text between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        UserError: The document has no such section.
    """
    return _split(document, name)[1].strip("\n")


def _split(document: Path, name: str) -> tuple[str, str, str]:
    """The document before, within and after a section."""
    content = document.read_text(encoding="utf-8")
    start, end = _marks(name)
    if start not in content or end not in content:
        raise UserError(f"{document} has no section between {start} and {end}.")
    before, _, rest = content.partition(start)
    text, _, after = rest.partition(end)
    return before, text, after


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"


def paragraph(text: str) -> str:
    """Return text as one paragraph, as wide as those of the documents."""
    return fill(" ".join(text.split()), 100, break_long_words=False, break_on_hyphens=False)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; all columns except the first are right-aligned."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
