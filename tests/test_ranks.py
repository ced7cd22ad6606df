"""benchmarks/ranks: how well a cheap judgement of networks agrees with full training."""

import math

import pytest

from benchmarks.ranks import rank_correlation
from mobilenet_tf.core.errors import UserError


def test_rank_correlation():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 1, 2, 3], [1, 2, 3, 3]) == pytest.approx(0.889, abs=1e-3)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) == 0
    assert not math.isnan(rank_correlation([1, 2, 3], [5, 5, 5]))
    with pytest.raises(UserError, match="There are 2 judgements and 2 accuracies"):
        rank_correlation([1, 2], [1, 2])
