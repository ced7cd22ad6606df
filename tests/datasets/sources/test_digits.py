import numpy as np
from sklearn.datasets import load_digits as bundled

from mobilenet_tf.datasets.load import load_data


def test_digits(make_spec):
    data = load_data("digits", make_spec(size=32, channels=1), seed=4)
    assert data.source == "digits"
    assert data.classes == tuple("0123456789")
    splits = (data.train, data.validation, data.test)
    assert sum(map(len, splits)) == 1797
    assert data.train.pictures.shape[1:] == (37, 37, 1)
    assert data.test.pictures.shape[1:] == (32, 32, 1)
    original = bundled()
    for split in splits:
        rows = [int(name) for name in split.names]
        np.testing.assert_array_equal(split.labels, original.target[rows])
        # Means survive the enlargement, so the pictures belong to the labels.
        means = split.pictures.mean(axis=(1, 2, 3))
        assert np.corrcoef(means, original.images[rows].mean(axis=(1, 2)))[0, 1] > 0.95
        assert np.bincount(split.labels).min() >= 20


def test_three_channels_are_equal(make_spec):
    data = load_data("digits", make_spec(size=32, channels=3), seed=4)
    assert data.test.pictures.shape[1:] == (32, 32, 3)
    assert np.ptp(data.test.pictures.astype(int), axis=-1).max() == 0
    assert data.test.pictures.max() > 240
    assert data.fingerprint == load_data("digits", make_spec(size=32), seed=4).fingerprint
