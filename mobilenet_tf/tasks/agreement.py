"""How far two executions of one network decide the same, for every task."""

from typing import Any, NamedTuple

import numpy as np

_CLEAR_LSB = 2.5  # a lead of more, which is 3 or more, must not change sides between runtimes


class Decisions(NamedTuple):
    """What outputs decide about N pictures: a class, or one per label, anchor or pixel.

    Attributes:
        chosen: Integers (N, decisions).
        lead: float64 (N, decisions): by how much the choice exceeds the next one, in LSB of the
            output; infinite where there is no other. 0 is a tie.
    """

    chosen: np.ndarray
    lead: np.ndarray


def agreement(expected: Decisions, found: Decisions) -> dict[str, Any]:
    """Compare the decisions of a network with those of the file that was converted from it.

    Returns:
        top1_agreement (share of equal decisions; None where nothing is decided) and ties (number
        of pictures for which the file leaves a decision open).
    """
    same = expected.chosen == found.chosen
    return {
        "top1_agreement": float(same.mean()) if same.size else None,
        "ties": int((found.lead == 0).any(axis=1).sum()),
    }


def clear_agreement(expected: Decisions, found: Decisions) -> dict[str, Any]:
    """Compare the decisions of two runtimes.

    Returns:
        sure (number of decisions with a lead of at least 3 LSB) and sure_top1_agreement (share of
        those that are the same).
    """
    clear = expected.lead > _CLEAR_LSB
    same = expected.chosen == found.chosen
    return {
        "sure": int(clear.sum()),
        "sure_top1_agreement": float(same[clear].mean()) if clear.any() else 1.0,
    }
