"""`500KB`, `200KiB`, `12M`, `5ms`, `96x128`: quantities as people write them."""

import re
from collections.abc import Mapping
from decimal import Decimal

from mobilenet_tf.core.errors import UserError

BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "kib": 1024, "mib": 1024**2}
COUNTS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
MILLISECONDS = {"": 1.0, "us": 1e-3, "ms": 1.0, "s": 1e3}
SHARES = {"": 1.0, "%": 0.01}

_LARGEST = Decimal(10**15)
_SHORTEST = Decimal("0.0001")  # milliseconds


def parse_bytes(text: str | None, option: str) -> int | None:
    """Return a number of bytes; KB is 1000 and KiB is 1024. None stays None.

    Args:
        text: Such as `200KB`.
        option: Name of the option, for errors.

    Raises:
        UserError: It is not a positive number with a known unit.
    """
    value = _parse(text, option, BYTES, "such as 200KB, 256KiB, 1.5MB or 300000")
    return None if value is None else int(value)


def parse_count(text: str | None, option: str) -> int | None:
    """Return a count; K is 1000. None stays None.

    Args:
        text: Such as `12M`.
        option: Name of the option, for errors.

    Raises:
        UserError: It is not a positive number with a known unit.
    """
    value = _parse(text, option, COUNTS, "such as 500K, 12M or 1.5G")
    return None if value is None else int(value)


def parse_milliseconds(text: str | None, option: str) -> float | None:
    """Return milliseconds; a bare number is in milliseconds. None stays None.

    Args:
        text: Such as `5ms`.
        option: Name of the option, for errors.

    Raises:
        UserError: It is not a positive number with a known unit.
    """
    value = _parse(text, option, MILLISECONDS, "such as 5ms, 800us or 0.1s", (_SHORTEST, _LARGEST))
    return None if value is None else float(value)


def parse_share(
    text: str | None,
    option: str,
    least: Decimal = Decimal("0.001"),
    most: Decimal = _LARGEST,
) -> float | None:
    """Return a share; `60%` is 0.6. None stays None.

    Args:
        text: Such as `60%`.
        option: Name of the option, for errors.
        least: The smallest share that is accepted.
        most: The largest.

    Raises:
        UserError: It is not a number in these bounds, or has another unit.
    """
    value = _parse(text, option, SHARES, "such as 60% or 0.6", (least, most))
    return None if value is None else float(value)


def parse_sides(text: str | None, option: str) -> int | tuple[int, int] | None:
    """Return the side of a square in pixels, or height and width. None stays None.

    Args:
        text: Such as `96` or `96x128`.
        option: Name of the option, for errors.

    Raises:
        UserError: It is not one positive whole number, or two.
    """
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,8})(?:x([1-9]\d{0,8}))?", text.strip(), re.A)
    if found is None:
        raise UserError(
            f"{option} is {text!r}; it must be a number of pixels such as 96, or height and width "
            "such as 96x128."
        )
    height, width = int(found[1]), found[2]
    return height if width is None else (height, int(width))


def _parse(
    text: str | None,
    option: str,
    units: Mapping[str, float],
    accepted: str,
    bounds: tuple[Decimal, Decimal] = (Decimal(1), _LARGEST),
) -> Decimal | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,20}(?:\.\d{1,20})?|\.\d{1,20})\s*([A-Za-z]*|%)\s*", text, re.A)
    unit = units.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise UserError(f"{option} is {text!r}; it must be a quantity {accepted}.")
    # Decimal, because 4.1 * 1000**2 is less than 4100000 in binary.
    value = Decimal(found[1]) * Decimal(str(unit))
    least, most = bounds
    if not least <= value <= most:
        raise UserError(f"{option} is {text!r}; it must be from {least} to {most:,}, {accepted}.")
    return value
