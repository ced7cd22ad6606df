"""Networks with fewer rows, because Keras takes as long for each of them.

Of `shallow` ones the rows that halve a map are left, and the last: a third, for tests of commands
and training, whatever the network. `python -m tests.short ARGUMENTS` is the command line with a zoo
of them. Those `without_repeats` have every row that differs from the one before: two thirds, for
tests of what rows become.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.tables import Rows
from mobilenet_tf.networks.zoo import ZOO, Entry


def shallow(network: Network) -> Network:
    """Return a network of the rows that halve a map, and the last."""
    return replace(network, backbone=_shorter(network.backbone))


def without_repeats(network: Network) -> Network:
    """Return a network without the rows that repeat the one before."""
    first, *others = network.backbone
    pairs = zip(network.backbone, others, strict=False)
    return replace(network, backbone=(first, *(row for before, row in pairs if row != before)))


@contextmanager
def shallow_zoo() -> Iterator[None]:
    """Build such networks whenever one of the zoo is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, entry in ZOO.items():
            patch.setitem(ZOO, name, replace(entry, make=_shortened(entry)))
        yield


def _shortened(entry: Entry):
    def make(alpha: float, classes: int) -> tuple[Rows, Rows]:
        backbone, head = entry.make(alpha, classes)
        return _shorter(backbone), head

    return make


def _shorter(rows: Rows) -> Rows:
    *others, last = rows
    # Rows of some kinds, such as SqueezeNet's modules, have no stride.
    return (*(row for row in others if getattr(row, "stride", None) != 1), last)


if __name__ == "__main__":
    from mobilenet_tf.__main__ import main

    with shallow_zoo():
        main()
