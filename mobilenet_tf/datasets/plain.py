"""Pictures in which there is nothing to see."""

from collections.abc import Sequence

import numpy as np

# Below this difference of its darkest and brightest value a picture shows next to nothing. Twelve
# bits in a file of sixteen give such pictures.
LEAST_CONTRAST = 16
_SHOWN_FILES, _LONGEST = 3, 60


def hardly_varies(pixels: np.ndarray) -> bool:
    """Return whether uint8 pixels are of one colour, or nearly so."""
    return all(np.ptp(pixels[..., band]) < LEAST_CONTRAST for band in range(pixels.shape[-1]))


def notes_on_plain(names: Sequence[str]) -> list[str]:
    """Return the note about images that are of one colour, or nearly so."""
    if not names:
        return []
    shown = shown_names(names)
    if len(names) == 1:
        return [f"1 image is of one colour, or nearly so ({shown})"]
    return [f"{len(names):,} images are of one colour, or nearly so ({shown})"]


def shown_names(names: Sequence[str]) -> str:
    """Return the first of several names, for the terminal."""
    return ", ".join(map(short_name, names[:_SHOWN_FILES])) + ", ..." * (len(names) > _SHOWN_FILES)


def short_name(name: str) -> str:
    """A name for the terminal: without what would control it, and of bounded length."""
    name = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name
    )
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def printable(name: str) -> str:
    """Return a file's name, with a mark for bytes that are not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
