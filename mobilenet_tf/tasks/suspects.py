"""Which labels are probably wrong: confident learning (Northcutt et al., 2021), by cleanlab."""

from typing import NamedTuple

import numpy as np


class Doubts(NamedTuple):
    """What predictions of networks that never saw the pictures say about their labels.

    Attributes:
        order: Indices of the pictures, the most doubtful label first.
        quality: Quality of each label, float64 (N,): half of 1 plus the probability of the label
            minus the highest one of the other classes. Below 0.5, another class is likelier.
        wrong: Estimated number of wrong labels: the pictures off the diagonal of the confident
            joint.
    """

    order: np.ndarray
    quality: np.ndarray
    wrong: int


def doubts(labels: np.ndarray, probabilities: np.ndarray) -> Doubts:
    """Judge labels by probabilities that were predicted out of sample.

    Args:
        labels: int (N,); every class has a picture.
        probabilities: (N, classes), each row with the sum 1.
    """
    from cleanlab import filter as filters
    from cleanlab import rank

    quality = rank.get_label_quality_scores(labels, probabilities, method="normalized_margin")
    wrong = filters.find_label_issues(
        labels, probabilities, filter_by="confident_learning", n_jobs=1
    )
    return Doubts(np.argsort(quality, kind="stable"), quality, int(wrong.sum()))
