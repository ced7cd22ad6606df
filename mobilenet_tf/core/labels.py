"""Which names a class may have. Every file, program and phone must be able to show them."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.reading import read_text_file

_LARGEST_FILE = 2**22  # bytes


def same_name(name: str) -> str:
    """Return the form in which names are compared.

    macOS stores an accent as a character of its own and Linux does not, so that one name is two
    sequences of bytes.
    """
    return unicodedata.normalize("NFC", name)


def spelled(names: Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
    """Return names in their own order; those that are classes are spelled as these."""
    known = {same_name(one): one for one in classes}
    return tuple(known.get(same_name(name), name) for name in names)


def matched(names: Sequence[str], classes: Sequence[str]) -> tuple[str, ...] | None:
    """Return names as the classes are spelled, in their own order; None if others are named."""
    found = spelled(names, classes)
    return found if sorted(found) == sorted(classes) else None


def by_number(names: Sequence[str]) -> tuple[str, ...]:
    """Return class names that are numbers in the order of the numbers.

    Raises:
        UserError: One of them is no number.
    """
    try:
        return tuple(sorted(names, key=float))
    except ValueError as error:
        raise UserError(f"The classes are not all numbers: {error}.") from error


def check_label(label: str, what: str) -> None:
    """Reject a class name that a later stage could not write or show.

    Args:
        label: The name.
        what: What errors call it.

    Raises:
        UserError: It is blank, has a control character or a line break, or is not Unicode.
    """
    kinds = {unicodedata.category(character) for character in label}
    if "Cs" in kinds:
        raise UserError(
            f"{what} is {label!r}, which is not valid UTF-8; rename it, because it cannot be "
            "written into the model."
        )
    # Readers on phones skip blank lines, which would shift all classes after it.
    if not label.strip() or "Cc" in kinds:
        raise UserError(
            f"{what} is {label!r}; it must be text on one line, without control characters."
        )


def check_labels(labels: Sequence[str]) -> None:
    """Reject class names that `check_label` rejects.

    Raises:
        UserError: See `check_label`.
    """
    for index, label in enumerate(labels):
        check_label(label, f"Label {index}")


def read_labels(path: str | Path) -> tuple[str, ...]:
    """Read class names, one per line; blank lines at the end are ignored.

    Raises:
        UserError: The file cannot be read or decoded, or has a blank or a repeated name.
    """
    lines = [line.strip() for line in read_text_file(Path(path), _LARGEST_FILE).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if not lines or not all(lines) or len(set(lines)) < len(lines):
        raise UserError(
            f"{path} must hold one class name per line, without blank lines and repeated names."
        )
    return tuple(lines)
