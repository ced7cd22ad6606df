"""Values as C source."""

from collections.abc import Iterable

import numpy as np

_PER_LINE = 16


def c_string(text: str) -> str:
    """Return a C string literal in ASCII; other characters become octal escapes of their UTF-8.

    Octal escapes end after three digits; hexadecimal ones would include the digits that follow.
    Question marks are escaped, because two of them may begin a trigraph.
    """
    plain = set(range(32, 127)) - set(b'"\\?')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def c_strings(texts: Iterable[str]) -> str:
    """Return the inside of an initialiser of strings, one literal per line."""
    return ",\n".join(f"  {c_string(text)}" for text in texts)


def c_bytes(data: bytes) -> str:
    """Return the inside of an initialiser of unsigned bytes."""
    return _lines([f"0x{byte:02x}" for byte in data])


def c_int8(rows: np.ndarray) -> str:
    """Return the inside of an initialiser of a two-dimensional int8 array."""
    return ",\n".join(f"{{\n{c_integers(row)}\n}}" for row in rows)


def c_integers(values: np.ndarray) -> str:
    """Return the inside of an initialiser of a one-dimensional array of integers."""
    # C reads -2147483648 as minus a number that is too large for int.
    return _lines(["INT32_MIN" if one == -(2**31) else str(one) for one in values.tolist()])


def c_float(value: float) -> str:
    """Return a float literal that C reads as the same float32."""
    return f"{np.format_float_scientific(np.float32(value), unique=True, trim='0')}f"


def _lines(cells: list[str]) -> str:
    starts = range(0, len(cells), _PER_LINE)
    return ",\n".join("  " + ", ".join(cells[at : at + _PER_LINE]) for at in starts)
