"""Files with one class name per line."""

from pathlib import Path

from mobilenet_tf.core.errors import UserError

_LARGEST = 2**22  # bytes


def read_labels(path: str | Path) -> tuple[str, ...]:
    """Read class names, one per line; a byte order mark and blank lines at the end are ignored.

    Raises:
        UserError: The file cannot be read, is not UTF-8, or has a blank or a repeated name.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise UserError(f"{path} does not exist; a file of class names is needed.")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text with one class name per line.") from error
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if len(content) > _LARGEST or not names or not all(names) or len(set(names)) < len(names):
        raise UserError(
            f"{path} must hold one class name per line, without blank lines and repeated names."
        )
    return names
