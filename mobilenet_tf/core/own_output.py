"""Recognise what this project has written, so that it is not read as somebody's pictures."""

from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, read_toml
from mobilenet_tf.core.lock import LOCK_NAME
from mobilenet_tf.core.ownership import MARKER


def is_own_output(folder: Path) -> bool:
    """Return whether a run, a search or an export of this project was written into a folder.

    It is recognised by its marker or lock, or by what `config.toml` or `result.json` in it
    contain, not by their names alone, so that the files of other programs are not taken for ours.
    """
    if any((folder / name).is_file() for name in (MARKER, LOCK_NAME)):
        return True
    try:
        if (folder / "config.toml").is_file():
            config = read_toml(folder / "config.toml")
            if "recipe" in config and config.keys() & {"data", "source"}:
                return True
        if (folder / "result.json").is_file():
            result = read_json(folder / "result.json")
            return isinstance(result, dict) and {"version", "model"} <= result.keys()
    except (OSError, UserError):  # unreadable, or not of the expected form
        pass
    return False
