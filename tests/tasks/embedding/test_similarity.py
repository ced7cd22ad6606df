"""Metrics of vectors against scikit-learn's, and against direct computations."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, roc_curve
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.tasks.embedding.similarity import (
    average_precision,
    retrieval,
    roc,
    split_pairs,
    threshold_at,
    true_accepts,
    unit,
    verification,
    verification_pairs,
)
from mobilenet_tf.tasks.embedding.task import Embedding

CLASSES = ["ant", "bee", "cat", "dog"]


@pytest.fixture(scope="module")
def vectors():
    """Integers (120, 6) as a file gives them, of which many are equal, around four centres."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 120)
    centres = random.normal(0, 2, (4, 6))
    return np.round(centres[labels] + random.normal(0, 2, (120, 6))).astype(np.int8), labels


def test_unit_vectors(vectors):
    found = unit(np.vstack([vectors[0], np.zeros((1, 6), np.int8)]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found[:-1], axis=1), 1, rtol=1e-6)
    assert not found[-1].any()


def test_retrieval_is_that_of_scikit_learn(vectors):
    units, labels = unit(vectors[0]), vectors[1]
    found = retrieval(units, labels)
    firsts, precisions = [], []
    for row in range(len(labels)):
        others = np.delete(np.arange(len(labels)), row)
        nearest = KNeighborsClassifier(1).fit(units[others], labels[others])
        firsts.append(nearest.predict(units[[row]])[0] == labels[row])
        scores = (units @ units.T)[row, others]  # rounded alike, so that equal ones stay so
        precisions.append(average_precision_score(labels[others] == labels[row], scores))
    assert found.recall == pytest.approx(np.mean(firsts), abs=1 / len(labels))  # equal distances
    assert found.precision == pytest.approx(np.mean(precisions), abs=1e-9)


def test_equal_scores_have_one_rank():
    relevant = np.array([True, False, True, False])
    scores = np.array([0.5, 0.5, 0.5, 0.1])
    assert average_precision(scores, relevant) == pytest.approx(2 / 3)
    assert average_precision(scores[::-1], relevant[::-1]) == pytest.approx(2 / 3)


def test_pictures_alone_in_their_class_search_for_nothing():
    units = unit(np.array([[1.0, 0], [1, 0.1], [0, 1]]))
    found = retrieval(units, np.array([0, 0, 1]))
    assert (found.recall, found.precision) == (1.0, 1.0)
    assert np.isnan(found.firsts[2])


def test_verification_is_the_protocol_of_lfw(vectors):
    units, labels = unit(vectors[0]), vectors[1]
    pairs, same = verification_pairs(labels)
    distances = ((units[pairs[:, 0]] - units[pairs[:, 1]]) ** 2).sum(axis=1)
    thresholds = np.arange(0, 4, 0.01)
    accuracies = []
    for train, test in KFold(n_splits=10, shuffle=False).split(pairs):
        on_train = [accuracy_score(same[train], distances[train] < t) for t in thresholds]
        best = thresholds[np.argmax(on_train)]
        accuracies.append(accuracy_score(same[test], distances[test] < best))
    assert verification(units, labels) == pytest.approx(np.mean(accuracies), abs=1e-12)


def test_pairs_are_balanced_and_depend_on_labels_alone(vectors):
    labels = vectors[1]
    pairs, same = verification_pairs(labels)
    np.testing.assert_array_equal(labels[pairs[:, 0]] == labels[pairs[:, 1]], same)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert all(fold.mean() == 0.5 for fold in np.split(same, 10))
    np.testing.assert_array_equal(verification_pairs(labels)[0], pairs)


def test_roc_is_that_of_scikit_learn(vectors):
    units, labels = unit(vectors[0]), vectors[1]
    same, different = split_pairs(units, labels)
    assert len(same) + len(different) == 120 * 119 // 2
    true = np.repeat([1, 0], [len(same), len(different)])
    fpr, tpr, _ = roc_curve(true, np.concatenate([same, different]), drop_intermediate=False)
    for far in (0.3, 0.05, 0.01, 0.001):
        assert true_accepts(same, different, far) == tpr[fpr <= far].max()
        assert (different > threshold_at(different, far)).mean() <= far
    assert true_accepts(same, different, 1e-5) is None
    found = roc(same, different)
    assert len(found.thresholds) <= 200
    points = set(zip(fpr.round(9), tpr.round(9), strict=True))
    assert points.issuperset(
        zip(found.false_accepts.round(9), found.true_accepts.round(9), strict=True)
    )
    assert found.true_accepts[-1] == 1
    assert found.false_accepts[0] <= 1 / len(different)


def test_metrics_and_threshold(vectors):
    outputs, labels = vectors
    task = Embedding()
    found = task.metrics(outputs, labels, CLASSES)
    assert found["images"] == 120
    assert found["strangers"] is None
    assert set(task.shares) | set(task.details) == set(found) - {"images"}
    settled = task.settled(outputs, labels)
    assert settled.metrics(outputs, labels, CLASSES)["strangers"] <= 0.01
    # A perfect embedder.
    perfect = task.metrics(np.eye(4)[labels], labels, CLASSES)
    for name in ("verification", "recall_at_1", "map", "true_accepts_1e2"):
        assert perfect[name] == 1


def test_only_angles_count(vectors):
    outputs, labels = vectors
    lengths = np.random.default_rng(0).uniform(0.1, 9, (120, 1))
    one, other = (Embedding().metrics(x, labels, CLASSES) for x in (outputs, outputs * lengths))
    assert one["verification"] == other["verification"]


def test_nothing_to_compare():
    for labels in ([0, 0, 0], [0, 1, 2]):
        with pytest.raises(UserError, match="at least 2 classes are needed"):
            Embedding().metrics(np.eye(3), np.array(labels), CLASSES)


def test_decisions_are_the_most_similar_pictures(vectors):
    outputs = 0.1 * vectors[0].astype(np.float32)
    found = Embedding().decisions(outputs, (0.1,))
    similarities = unit(outputs) @ unit(outputs).T - 3 * np.eye(120)
    best = np.sort(similarities, axis=1)
    np.testing.assert_allclose(
        found.lead[:, 0],
        (best[:, -1] - best[:, -2]) * np.linalg.norm(vectors[0].astype(float), axis=1),
        atol=1e-4,
    )
    sure = found.lead[:, 0] > 1e-3
    assert (found.chosen[sure, 0] == similarities.argmax(axis=1)[sure]).all()
    for few in (1, 2):
        assert (Embedding().decisions(outputs[:few], (0.1,)).lead == np.inf).all()


def test_answers_and_worst(vectors):
    from mobilenet_tf.datasets.dataset import Split

    outputs, labels = vectors
    found = Embedding(threshold=0.5).answers(outputs[:3], [], 3, "model", [])
    assert found["threshold"] == 0.5
    assert [row["similarities"][index] for index, row in enumerate(found["predictions"])] == [1] * 3
    images = np.random.default_rng(0).integers(0, 255, (120, 4, 4, 3), np.uint8)
    test = Split(images, labels, [f"{index}.png" for index in range(120)])
    worst = Embedding().worst(test, CLASSES, outputs)
    assert 0 < len(worst.rows) <= 12
    for row in worst.rows:
        (own,), stranger = row["note"].split(";")[:1], row["note"].rsplit(", ", 1)[1]
        assert own != stranger
    assert worst.pictures[worst.rows[0]["picture"]].shape == (4, 8, 3)
