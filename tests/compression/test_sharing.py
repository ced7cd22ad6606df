"""Pruning and clustering of plain arrays, against what can be counted or searched."""

from itertools import pairwise

import numpy as np
import pytest

from mobilenet_tf.compression.clustering import STARTS, cluster
from mobilenet_tf.compression.pruning import prune, prune_n_of_m, sparsity_at
from mobilenet_tf.core.errors import UserError


@pytest.fixture
def kernel():
    return np.random.default_rng(0).normal(size=(3, 3, 16, 24))


def test_sparsity_rises_as_in_zhu_and_gupta():
    """At a quarter, half and three quarters: 58, 88 and 98 % of the final sparsity."""
    shares = [sparsity_at(step, 100, 200, 0.8) / 0.8 for step in (0, 100, 125, 150, 175, 200, 999)]
    assert [round(share, 2) for share in shares] == [0, 0, 0.58, 0.88, 0.98, 1, 1]
    assert sparsity_at(100, 100, 200, 0.8, initial=0.5) == 0.5


@pytest.mark.parametrize("sparsity", [0, 0.3, 0.5, 1])
def test_the_smallest_weights_are_pruned(kernel, sparsity):
    pruned = prune(kernel, sparsity)
    zero = pruned == 0
    assert zero.sum() == round(sparsity * kernel.size)
    np.testing.assert_array_equal(pruned[~zero], kernel[~zero])
    if 0 < sparsity < 1:
        assert np.abs(kernel[zero]).max() <= np.abs(kernel[~zero]).min()


def test_blocks_are_pruned_as_a_whole(kernel):
    pruned = prune(kernel[..., :22], 0.5, block=(4, 4))
    for row in range(0, 16, 4):
        for column in range(0, 22, 4):
            corner = pruned[..., row : row + 4, column : column + 4] == 0
            whole, none = corner.all(axis=(-2, -1)), (~corner).all(axis=(-2, -1))
            assert (whole | none).all()
    assert 0.4 < (pruned == 0).mean() < 0.6


def test_two_of_four_along_the_input_channels(kernel):
    pruned = prune_n_of_m(kernel, 2, 4, axis=-2)
    zeros = (np.moveaxis(pruned, -2, -1).reshape(-1, 4) == 0).sum(axis=1)
    assert set(zeros.tolist()) == {2}
    np.testing.assert_array_equal(pruned[pruned != 0], kernel[pruned != 0])
    odd = prune_n_of_m(kernel[..., :3, :], 1, 2, axis=2)
    np.testing.assert_array_equal(odd[..., 2, :], kernel[..., 2, :])


def best_error(weights: np.ndarray, count: int) -> float:
    """The least sum of squared distances that any clusters of sorted weights have."""

    def within(first: int, last: int) -> float:
        return float(((weights[first:last] - weights[first:last].mean()) ** 2).sum())

    least = [within(0, last) if last else 0.0 for last in range(len(weights) + 1)]
    for _ in range(count - 1):
        least = [
            min([within(0, last)] + [least[cut] + within(cut, last) for cut in range(1, last)])
            if last
            else 0.0
            for last in range(len(weights) + 1)
        ]
    return least[-1]


@pytest.mark.parametrize("start", STARTS)
def test_clusters_are_a_fixed_point_near_the_best(start):
    weights = np.random.default_rng(1).normal(size=40)
    found = cluster(weights, 4, start)
    assert len(found.centroids) == 4
    distance = np.abs(weights[:, None] - found.centroids)
    np.testing.assert_array_equal(distance.argmin(axis=1), found.indices)
    for number, centroid in enumerate(found.centroids):
        assert weights[found.indices == number].mean() == pytest.approx(centroid)
    error = ((found.kernel - weights) ** 2).sum()
    assert best_error(np.sort(weights), 4) <= error + 1e-9 <= 2 * best_error(np.sort(weights), 4)


@pytest.mark.parametrize("start", STARTS)
def test_zeros_stay_and_nothing_joins_them(kernel, start):
    pruned = prune(kernel, 0.6)
    found = cluster(pruned, 8, start, keep_zeros=True)
    assert len(found.centroids) == 8
    assert all(one < other for one, other in pairwise(found.centroids.tolist()))
    np.testing.assert_array_equal(found.kernel == 0, pruned == 0)
    assert found.kernel.shape == kernel.shape


@pytest.mark.parametrize("start", STARTS)
def test_channels_have_centroids_of_their_own(kernel, start):
    pruned = prune(kernel, 0.6)
    pruned[..., 3] = 0
    found = cluster(pruned, 8, start, per_channel=True, keep_zeros=True)
    assert found.centroids.shape == (24, 8)
    for channel in range(24):
        alone = cluster(pruned[..., channel], 8, start, keep_zeros=True)
        np.testing.assert_array_equal(found.kernel[..., channel], alone.kernel)
        np.testing.assert_array_equal(np.unique(found.centroids[channel]), alone.centroids)


def test_few_values_stay_as_they_are():
    weights = np.array([[3, -1], [0, 3]], np.int8)
    for keep_zeros in (False, True):
        np.testing.assert_array_equal(cluster(weights, 8, keep_zeros=keep_zeros).kernel, weights)
    assert cluster(np.zeros(5), 4, keep_zeros=True).centroids.tolist() == [0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda k: prune(k, 1.5), "sparsity is 1.5; it must be from 0 to 1"),
        (lambda k: prune_n_of_m(k, 3, 2, 0), "3 zeros of 2"),
        (lambda k: cluster(k, 4, "random"), "it must be one of linear, density"),
        (lambda k: cluster(k, 1, keep_zeros=True), "1 clusters; at least 2"),
    ],
)
def test_settings_that_are_refused(kernel, call, said):
    with pytest.raises(UserError, match=said):
        call(kernel)
