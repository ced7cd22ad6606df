"""Tables that programs write into documents, between two marks that name them."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.errors import UserError

ROOT = Path(__file__).parents[1]


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; all but the first column are aligned to the right."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def replace_section(document: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        UserError: the document lacks the marks.
    """
    content = document.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in content or end not in content:
        raise UserError(f"{document} has no section between {start} and {end}.")
    before, rest = content.split(start, 1)
    _, after = rest.split(end, 1)
    document.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")
