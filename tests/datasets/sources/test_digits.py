import numpy as np
from sklearn.datasets import load_digits as bundled

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.load import load_data


def test_digits(make_spec):
    data = load_data("digits", make_spec(size=32, channels=1), seed=4)
    assert data.source == "digits"
    assert data.classes == tuple("0123456789")
    splits = (data.train, data.validation, data.test)
    assert sum(map(len, splits)) == 1797
    assert data.train.images.shape[1:] == (37, 37, 1)
    assert data.test.images.shape[1:] == (32, 32, 1)
    original = bundled()
    for split in splits:
        rows = [int(name) for name in split.names]
        np.testing.assert_array_equal(split.labels, original.target[rows])
        # Resizing keeps an image's mean, so this shows that images and labels match.
        means = split.images.mean(axis=(1, 2, 3))
        assert np.corrcoef(means, original.images[rows].mean(axis=(1, 2)))[0, 1] > 0.95
        assert np.bincount(split.labels).min() >= 20


def test_three_channels_are_equal(make_spec):
    data = load_data("digits", make_spec(size=32, channels=3), seed=4)
    assert data.test.images.shape[1:] == (32, 32, 3)
    assert np.ptp(data.test.images.astype(int), axis=-1).max() == 0
    assert data.test.images.max() > 240
    assert data.fingerprint == load_data("digits", make_spec(size=32), seed=4).fingerprint


def test_an_oblong_input():
    data = load_data("digits", InputSpec((40, 64), 1, fit="pad"), seed=4)
    assert data.train.images.shape[1:] == (46, 74, 1)
    assert data.test.images.shape[1:] == (40, 64, 1)
    assert (data.test.images[:, :, [0, 11, 52, 63]] == 128).all()
