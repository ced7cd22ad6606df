"""What `make test` leaves to `make test-slow`; continuous integration runs both.

Of tests that repeat one check, above all with networks that are not in `USUAL`, all but a few cases
are slow. So are the longest whole runs and kills, among them all of tests/reported.
"""

from collections.abc import Iterable, Sequence

import pytest

USUAL = ("v1", "v2", "v3_small", "v4_conv_s")  # a network of each generation


def slow_but(quick: Sequence, values: Iterable, *, together: bool = False) -> list:
    """Return parameters, of which those that are not in `quick` are slow.

    Args:
        quick: Values, or names of networks.
        values: What to test; of a tuple, the first element is the name of a network.
        together: Whether all tests of a value run in one process.
    """
    return [_parameter(value, quick, together) for value in values]


def _parameter(value, quick: Sequence, together: bool):
    case = value if isinstance(value, tuple) else (value,)
    marks = [] if value in quick or case[0] in quick else [pytest.mark.slow]
    if together:
        marks.append(pytest.mark.xdist_group(case[0]))
    return pytest.param(*case, marks=marks)
