"""Text from outside, such as names of files and classes, made safe to show and to write."""

import re

# Control characters, and the marks that reverse the direction of the text after them.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 4000  # characters; a path may have so many
_LONGEST_NAME = 300


def clean(text: object, most: int = _LONGEST) -> str:
    """Return text in one line that is safe to show.

    Bytes that are not UTF-8 are spelled out; control characters and marks that change the
    direction of the text are replaced; the end of a very long text is left out.

    Args:
        text: The text.
        most: The most characters to show.
    """
    spelled = str(text)
    spelled = spelled if len(spelled) <= most else f"{spelled[: most - 1]}…"
    spelled = spelled.encode("utf-8", "backslashreplace").decode("utf-8")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", spelled)


def clean_name(text: object) -> str:
    """Return a name, such as that of a class or a tensor, in a form that is safe to show."""
    return clean(text, _LONGEST_NAME)


def markdown(text: object) -> str:
    """Return text as Markdown that shows it unchanged."""
    safe = clean(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]>|#~])", r"\\\1", safe)


def code_block(code: str, language: str) -> str:
    """Return lines of code as a block of Markdown that no name in the code can end."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(clean(line) for line in code.rstrip("\n").split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}"
