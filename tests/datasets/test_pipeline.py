import itertools

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, draw
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.images import read_picture
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import (
    at_size,
    calibration_pictures,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)

STRONG = Augmentation(0.5, 0.3, 45, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5)


def plain(count=10, side=32, channels=3, classes=3):
    """Picture i is filled with the grey i; label i % classes."""
    pictures = np.zeros((count, side, side, channels), np.uint8)
    pictures += np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    names = [str(index) for index in range(count)]
    return Split(pictures, np.arange(count) % classes, names)


def noise(count=10, side=37, channels=3):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return Split(pictures, np.arange(count) % 3, [""] * count)


def collect(batches):
    pictures, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.array(pictures), np.array(labels)


def identify(pictures):
    """Which pictures of `plain` these are."""
    preprocessing = InputSpec()
    return np.rint(pictures[..., 0, 0, 0] * preprocessing.std + preprocessing.mean).astype(int)


def test_each_pass_is_another_order_of_all_pictures(make_network):
    pictures, labels = collect(training_batches(plain(), make_network(), 4, seed=1, steps=15))
    assert pictures.shape == (15, 4, 32, 32, 3)
    assert (pictures.dtype, labels.dtype) == (np.float32, np.float32)
    passes = identify(pictures).reshape(6, 10)  # 60 pictures: batches run across the passes
    for order in passes:
        assert sorted(order) == list(range(10))
    assert len({tuple(order) for order in passes}) == 6
    np.testing.assert_array_equal(labels.argmax(-1), identify(pictures) % 3)
    assert (labels.sum(-1) == 1).all()


def test_fewer_pictures_than_a_batch(make_network):
    pictures, _ = collect(training_batches(plain(3), make_network(), 8, seed=1, steps=3))
    assert np.bincount(identify(pictures).ravel()).tolist() == [8, 8, 8]
    assert steps_per_epoch(plain(3), 8) == 1
    assert steps_per_epoch(plain(10), 4) == 3


@pytest.mark.parametrize("augmentation", [NO_AUGMENTATION, Augmentation(), STRONG])
def test_a_resumed_run_sees_what_it_would_have_seen(make_network, augmentation):
    def run(seed=5, start=0):
        return collect(
            training_batches(noise(), make_network(), 4, seed, 9, start, augmentation=augmentation)
        )

    whole = run()
    for start in (1, 4, 8):
        for full, rest in zip(whole, run(start=start), strict=True):
            np.testing.assert_array_equal(full[start:], rest)
    assert not np.array_equal(run(seed=6)[0], whole[0])


def test_nothing_is_left_after_the_last_step(make_network):
    assert list(training_batches(plain(), make_network(), 4, 0, steps=3, start_step=3)) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_augmented_pixels_stay_within_range(make_network, channels):
    spec = make_network(channels=channels)
    split = noise(8, channels=channels)
    pictures, _ = collect(training_batches(split, spec, 8, 0, 6, augmentation=STRONG))
    low, high = spec.input.normalise(np.uint8([0, 255]))
    assert pictures.shape[2:] == (32, 32, channels)
    assert pictures.min() >= low - 1e-6
    assert pictures.max() <= high + 1e-6
    assert np.isfinite(pictures).all()
    assert pictures.std() > 0.2


def test_no_augmentation_at_the_final_size_changes_nothing(make_network):
    spec = make_network()
    split = Split(noise(6, 32).pictures, np.zeros(6, int), [""] * 6)
    pictures, _ = collect(training_batches(split, spec, 6, 0, 1))
    order = np.random.default_rng((0, 0, 0)).permutation(6)
    expected = spec.input.normalise(split.pictures[order])
    np.testing.assert_allclose(pictures[0], expected, atol=1e-5)


def test_training_shows_the_same_part_of_the_picture_as_evaluation(signs, make_network):
    spec = make_network(size=64, classes=10)
    paths = sorted(signs.glob("5/*"))[:8]
    large = np.stack([read_picture(path, 74, 3, 1.0) for path in paths])
    exact = np.stack([read_picture(path, 64, 3, 1.0) for path in paths])
    split = Split(large, np.full(8, 5), [path.name for path in paths])
    order = np.random.default_rng((0, 0, 0)).permutation(8)
    pictures, _ = collect(training_batches(split, spec, 8, 0, 1))
    expected = spec.input.normalise(exact[order])
    assert np.abs(pictures[0] - expected).mean() * 127.5 < 2  # grey levels
    assert np.abs(at_size(large, 64).astype(int) - exact).mean() < 1.5


@pytest.mark.parametrize(
    ("strength", "test"),
    [
        ({"flip": 1.0}, lambda now, was: np.allclose(now, was[:, :, ::-1], atol=1e-4)),
        ({"brightness": 0.5}, lambda now, was: not np.allclose(now.mean(), was.mean())),
        ({"contrast": 0.5}, lambda now, was: not np.allclose(now.std(), was.std())),
        ({"saturation": 1.0}, lambda now, was: not np.allclose(now.std(-1), was.std(-1))),
        ({"shift": 0.3}, lambda now, was: np.allclose(now.mean(), was.mean(), atol=0.05)),
        ({"erase": 1.0}, lambda now, was: 0.01 < (now == 0).all(-1).mean() < 0.25),
    ],
)
def test_each_change(make_network, strength, test):
    split = noise(6, 32)
    quiet = {"zoom": 0, "aspect": 0, "rotation": 0, "shift": 0}
    quiet |= {"brightness": 0, "contrast": 0, "saturation": 0}
    changed = Augmentation(**quiet | strength)
    now, _ = collect(training_batches(split, make_network(), 6, 0, 1, augmentation=changed))
    was, _ = collect(training_batches(split, make_network(), 6, 0, 1))
    assert not np.allclose(now, was)
    assert test(now[0], was[0])


def test_saturation_leaves_grey_pictures_alone(make_network):
    changed = Augmentation(0, 0, 0, 0, 0, 0, 0, saturation=1.0)
    now, _ = collect(training_batches(plain(), make_network(), 10, 0, 1, augmentation=changed))
    was, _ = collect(training_batches(plain(), make_network(), 10, 0, 1))
    np.testing.assert_allclose(now, was, atol=1e-5)


def test_transforms_keep_to_their_strengths():
    changes = draw(
        Augmentation(zoom=0.5, aspect=0, rotation=90, shift=0.1),
        np.random.default_rng(0),
        500,
        74,
        64,
    )
    rows = changes.transforms.reshape(500, 8)
    scale = np.sqrt(rows[:, 0] ** 2 + rows[:, 3] ** 2) * 64 / 74
    assert 1 / 1.5 <= scale.min() < 0.7
    assert 1.45 < scale.max() <= 1.5
    angle = np.rad2deg(np.arctan2(rows[:, 3], rows[:, 0]))
    assert -90 <= angle.min() < -85
    assert 85 < angle.max() <= 90
    # Where the output's middle is taken from.
    middle = rows[:, 0] * 31.5 + rows[:, 1] * 31.5 + rows[:, 2]
    assert 7 < np.abs(middle - 36.5).max() <= 7.4
    off = draw(NO_AUGMENTATION, np.random.default_rng(0), 5, 64, 64)
    np.testing.assert_allclose(off.transforms, [[1, 0, 0, 0, 1, 0, 0, 0]] * 5, atol=1e-5)
    assert (off.colours == 1).all()
    assert (off.erased == 0).all()


@pytest.mark.parametrize(("field", "value"), [("zoom", -1), ("rotation", 181), ("flip", 1.1)])
def test_strengths_out_of_range(field, value):
    with pytest.raises(UserError, match=f"{field} is {value}"):
        Augmentation(**{field: value})


def test_evaluation_is_prepare(signs, make_network):
    spec = make_network(size=40, classes=10, crop=0.875)
    data = load_data(signs, spec.input, 0)
    batches = [*evaluation_batches(data.test, spec, 64).as_numpy_iterator()]
    assert [len(labels) for _, labels in batches] == [64, 64, 64, 64, 54]
    pictures, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    assert pictures.dtype == labels.dtype == np.float32
    for row in range(0, len(labels), 31):
        name = data.test.names[row]
        pixels = read_picture(signs / name, 40, 3, 0.875)
        np.testing.assert_array_equal(pictures[row], spec.input.normalise(pixels))
        assert labels[row].argmax() == int(name[0])
    train, _ = next(evaluation_batches(data.train, spec, 8).as_numpy_iterator())
    assert train.shape == (8, 40, 40, 3)
    chosen = calibration_pictures(data.train, spec, 100, seed=0)
    assert (chosen.shape, chosen.dtype) == ((100, 40, 40, 3), np.float32)


def test_memory_map(make_network, tmp_path):
    split = plain()
    stored = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=split.pictures.shape)
    stored[:] = split.pictures
    mapped = Split(stored, split.labels, split.names)
    one, other = (collect(training_batches(s, make_network(), 4, 0, 5)) for s in (split, mapped))
    np.testing.assert_array_equal(one[0], other[0])


def test_wrong_input(make_network):
    cases = itertools.product((training_batches, evaluation_batches), range(5))
    for function, case in cases:
        split, spec, batch, message = [
            (
                Split(np.empty((0, 32, 32, 3), np.uint8), np.empty(0, int), []),
                make_network(),
                4,
                "no pic",
            ),
            (plain(), make_network(), 0, "batch is 0"),
            (
                plain(),
                make_network(classes=2),
                4,
                "classes is 2, but the pictures have labels up to 2",
            ),
            (plain(), make_network(size=40), 4, "32x32x3; size 40"),
            (plain(), make_network(channels=1), 4, "channels 1 need others"),
        ][case]
        more = {"seed": 0, "steps": 1} if function is training_batches else {}
        with pytest.raises(UserError, match=message):
            function(split, spec, batch, **more)
    with pytest.raises(UserError, match="seed is -1"):
        training_batches(plain(), make_network(), 4, seed=-1, steps=1)
