"""Which names a class may have. Every file, program and phone must be able to show them."""

import unicodedata
from collections.abc import Sequence

from mobilenet_tf.core.errors import UserError


def same_name(name: str) -> str:
    """Return the form in which names are compared.

    macOS stores an accent as a character of its own and Linux does not, so that one name is two
    sequences of bytes.
    """
    return unicodedata.normalize("NFC", name)


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
