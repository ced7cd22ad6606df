"""How well a cheap judgement of networks agrees with full training."""

from collections.abc import Sequence

from mobilenet_tf.core.errors import UserError

_FEWEST = 3


def rank_correlation(judged: Sequence[float], trained: Sequence[float]) -> float:
    """Return Spearman's rank correlation, from -1 to 1; 0 where all values of one side are equal.

    Args:
        judged: One judgement per network; larger is better.
        trained: Accuracy of each network after full training.

    Raises:
        UserError: There are fewer than 3 networks, or the two lengths differ.
    """
    from scipy.stats import spearmanr

    if len(judged) != len(trained) or len(judged) < _FEWEST:
        raise UserError(
            f"There are {len(judged)} judgements and {len(trained)} accuracies; their numbers must "
            f"be equal, and at least {_FEWEST}."
        )
    if len(set(judged)) == 1 or len(set(trained)) == 1:
        return 0.0
    return float(spearmanr(judged, trained).statistic)
