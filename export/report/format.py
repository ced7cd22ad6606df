"""Numbers and names as text; what was not measured reads "not measured"."""

from math import isfinite
from typing import TypeGuard

NOT_MEASURED = "not measured"


def measured(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and isfinite(value)


def percent(share: float | None) -> str:
    """Return 0.974 as "97.4%".

    "100.0%" stands for all only, and "0.0%" for none only.
    """
    if not measured(share):
        return NOT_MEASURED
    text = ""
    for digits in (1, 2, 3):
        text = f"{share:.{digits}%}"
        if (float(text[:-1]) == 100) == (share == 1) and (float(text[:-1]) == 0) == (share == 0):
            break
    return text


def points(difference: float | None) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    if not measured(difference):
        return NOT_MEASURED
    text = f"{abs(difference) * 100:.1f}"
    sign = "" if float(text) == 0 else "−" if difference < 0 else "+"  # noqa: RUF001
    return f"{sign}{text} points"


def count(number: int | None) -> str:
    """Return 515564 as "515,564"."""
    return f"{number:,}" if measured(number) else NOT_MEASURED


def plural(number: int, noun: str) -> str:
    """Return a number with its noun, as "1 image" or "2 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def decimal(number: float | None, digits: int = 1) -> str:
    """Return a number with a fixed number of decimal places."""
    return f"{number:.{digits}f}" if measured(number) else NOT_MEASURED


def size(number: int | None) -> str:
    """Return a number of bytes in units of 1024."""
    if not measured(number):
        return NOT_MEASURED
    if number < 1024:
        return f"{number} bytes"
    return f"{number / 1024:.0f} KiB" if number < 1024**2 else f"{number / 1024**2:.2f} MiB"


def duration(seconds: float | None) -> str:
    """Return a duration in seconds, minutes or hours."""
    if not measured(seconds):
        return NOT_MEASURED
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{seconds / 3600:.1f} h"


def shape(sides: tuple[int, ...]) -> str:
    """Return (1, 96, 96, 3) as "1 × 96 × 96 × 3"."""  # noqa: RUF002
    return " × ".join(map(str, sides))  # noqa: RUF001


def capitalized(text: str) -> str:
    """Return a text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]
