"""What becomes of a label when its picture becomes an input."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing


class UnusableLabel(UserError):
    """A label does not suit its picture, which is left out; the text is the reason, a clause."""


class Placed(NamedTuple):
    """The label of a picture in the input.

    Attributes:
        label: A row of `Split.labels`; all rows have one shape and type.
        repairs: What had to be repaired, a clause each, such as "a box without area was dropped".
        classes: Classes that the input shows, where labels are about classes.
    """

    label: np.ndarray
    repairs: Sequence[str] = ()
    classes: Sequence[int] = ()


Place = Callable[[Any, Framing], Placed]  # raises UnusableLabel


def as_listed(label: Any, framing: Framing) -> Placed:
    """Return a label that has no place in the picture, such as a class."""
    row = np.asarray(label)
    return Placed(row, classes=() if row.ndim else (int(row),))
