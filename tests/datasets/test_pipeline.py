import itertools

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, InputSpec
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation, draw
from mobilenet_tf.datasets.batch_plan import BatchPlan, Replicas
from mobilenet_tf.datasets.dataset import Split, rescale, with_margin
from mobilenet_tf.datasets.images import read_image
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import (
    calibration_images,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from mobilenet_tf.networks.rows import Classifier, Network
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy

STRONG = Augmentation(0.5, 0.3, 45, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5)


def plain(count=10, side=32, channels=3, classes=3):
    """Return images i that are filled with the grey level i and have the label i % classes."""
    images = np.zeros((count, side, side, channels), np.uint8)
    images += np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    names = [str(index) for index in range(count)]
    return Split(images, np.arange(count) % classes, names)


def noise(count=10, side=37, channels=3):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return Split(images, np.arange(count) % 3, [""] * count)


def collect(found):
    images, labels = zip(*found.as_numpy_iterator(), strict=True)
    return np.array(images), np.array(labels)


def batches(split, network, batch, *, seed=0, steps=1, start=0, **options):
    plan = BatchPlan(batch=batch, seed=seed, steps=steps, start_step=start)
    learned = CrossEntropy(network.classes)
    return training_batches(split, network.input, learned, plan, **options)


def evaluated(split, network, batch):
    learned = CrossEntropy(network.classes)
    return evaluation_batches(split, network.input, learned, batch).as_numpy_iterator()


def identify(images):
    """Return the indices of images of `plain`."""
    input_spec = InputSpec()
    return np.rint(images[..., 0, 0, 0] * input_spec.std + input_spec.mean).astype(int)


def test_each_pass_is_another_order_of_all_images(make_network):
    images, labels = collect(batches(plain(), make_network(), 4, seed=1, steps=15))
    assert images.shape == (15, 4, 32, 32, 3)
    assert (images.dtype, labels.dtype) == (np.float32, np.float32)
    passes = identify(images).reshape(6, 10)  # 60 images: batches run across the passes
    for order in passes:
        assert sorted(order) == list(range(10))
    assert len({tuple(order) for order in passes}) == 6
    np.testing.assert_array_equal(labels.argmax(-1), identify(images) % 3)
    assert (labels.sum(-1) == 1).all()


def test_fewer_images_than_a_batch(make_network):
    images, _ = collect(batches(plain(3), make_network(), 8, seed=1, steps=3))
    assert np.bincount(identify(images).ravel()).tolist() == [8, 8, 8]
    assert steps_per_epoch(plain(3), 8) == 1
    assert steps_per_epoch(plain(10), 4) == 3


@pytest.mark.parametrize("augmentation", [NO_AUGMENTATION, Augmentation(), STRONG])
def test_a_resumed_run_sees_what_it_would_have_seen(make_network, augmentation):
    def run(seed=5, start=0):
        return collect(
            batches(
                noise(),
                make_network(),
                4,
                seed=seed,
                steps=9,
                start=start,
                augmentation=augmentation,
            )
        )

    whole = run()
    for start in (1, 4, 8):
        for full, rest in zip(whole, run(start=start), strict=True):
            np.testing.assert_array_equal(full[start:], rest)
    assert not np.array_equal(run(seed=6)[0], whole[0])


def test_nothing_is_left_after_the_last_step(make_network):
    assert list(batches(plain(), make_network(), 4, steps=3, start=3)) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_augmented_pixels_stay_within_range(make_network, channels):
    network = make_network(channels=channels)
    split = noise(8, channels=channels)
    images, _ = collect(batches(split, network, 8, steps=6, augmentation=STRONG))
    low, high = network.input.normalise(np.uint8([0, 255]))
    assert images.shape[2:] == (32, 32, channels)
    assert images.min() >= low - 1e-6
    assert images.max() <= high + 1e-6
    assert np.isfinite(images).all()
    assert images.std() > 0.2


def test_no_augmentation_at_the_final_size_changes_nothing(make_network):
    network = make_network()
    split = Split(noise(6, 32).images, np.zeros(6, int), [""] * 6)
    images, _ = collect(batches(split, network, 6, steps=1))
    order = np.random.default_rng((0, 0, 0)).permutation(6)
    expected = network.input.normalise(split.images[order])
    np.testing.assert_allclose(images[0], expected, atol=1e-5)


def test_training_shows_the_same_part_of_the_image_as_evaluation(signs, make_network):
    network = make_network(size=64, classes=10)
    paths = sorted(signs.glob("5/*"))[:8]
    large = np.stack([read_image(path, with_margin(network.input)) for path in paths])
    exact = np.stack([read_image(path, network.input) for path in paths])
    split = Split(large, np.full(8, 5), [path.name for path in paths])
    order = np.random.default_rng((0, 0, 0)).permutation(8)
    images, _ = collect(batches(split, network, 8, steps=1))
    expected = network.input.normalise(exact[order])
    assert np.abs(images[0] - expected).mean() * 127.5 < 2  # grey levels
    assert np.abs(rescale(large, network.input).astype(int) - exact).mean() < 1.5


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
    now, _ = collect(batches(split, make_network(), 6, steps=1, augmentation=changed))
    was, _ = collect(batches(split, make_network(), 6, steps=1))
    assert not np.allclose(now, was)
    assert test(now[0], was[0])


def test_saturation_leaves_grey_images_alone(make_network):
    changed = Augmentation(0, 0, 0, 0, 0, 0, 0, saturation=1.0)
    now, _ = collect(batches(plain(), make_network(), 10, steps=1, augmentation=changed))
    was, _ = collect(batches(plain(), make_network(), 10, steps=1))
    np.testing.assert_allclose(now, was, atol=1e-5)


def test_transforms_keep_to_their_strengths():
    changes = draw(
        Augmentation(zoom=0.5, aspect=0, rotation=90, shift=0.1),
        np.random.default_rng(0),
        500,
        (74, 74),
        (64, 64),
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
    off = draw(NO_AUGMENTATION, np.random.default_rng(0), 5, (64, 64), (64, 64))
    np.testing.assert_allclose(off.transforms, [[1, 0, 0, 0, 1, 0, 0, 0]] * 5, atol=1e-5)
    assert (off.colours == 1).all()
    assert (off.erased == 0).all()


@pytest.mark.parametrize(("field", "value"), [("zoom", -1), ("rotation", 181), ("flip", 1.1)])
def test_strengths_out_of_range(field, value):
    with pytest.raises(UserError, match=f"{field} is {value}"):
        Augmentation(**{field: value})


def test_evaluation_is_prepare(signs, make_network):
    network = make_network(size=40, classes=10, crop=0.875)
    data = load_data(signs, network.input, 0)
    found = [*evaluated(data.test, network, 64)]
    assert [len(labels) for _, labels in found] == [64, 64, 64, 64, 54]
    images, labels = (np.concatenate(parts) for parts in zip(*found, strict=True))
    assert images.dtype == labels.dtype == np.float32
    for row in range(0, len(labels), 31):
        name = data.test.names[row]
        pixels = read_image(signs / name, network.input)
        np.testing.assert_array_equal(images[row], network.input.normalise(pixels))
        assert labels[row].argmax() == int(name[0])
    train, _ = next(evaluated(data.train, network, 8))
    assert train.shape == (8, 40, 40, 3)
    chosen = calibration_images(data.train, network, 100, seed=0)
    assert (chosen.shape, chosen.dtype) == ((100, 40, 40, 3), np.float32)


def test_memory_map(make_network, tmp_path):
    split = plain()
    stored = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=split.images.shape)
    stored[:] = split.images
    mapped = Split(stored, split.labels, split.names)
    one, other = (collect(batches(s, make_network(), 4, steps=5)) for s in (split, mapped))
    np.testing.assert_array_equal(one[0], other[0])


def test_wrong_input(make_network):
    cases = itertools.product((batches, evaluated), range(5))
    for function, case in cases:
        split, network, batch, message = [
            (
                Split(np.empty((0, 32, 32, 3), np.uint8), np.empty(0, int), []),
                make_network(),
                4,
                "no images",
            ),
            (plain(), make_network(), 0, "batch is 0"),
            (
                plain(),
                make_network(classes=2),
                4,
                "classes is 2, but the images have labels up to 2",
            ),
            (plain(), make_network(size=40), 4, r"are 32x32x3 .* input is 40x40x3"),
            (plain(), make_network(channels=1), 4, r"are 32x32x3 .* input is 32x32x1"),
        ][case]
        with pytest.raises(UserError, match=message):
            function(split, network, batch)
    with pytest.raises(UserError, match="seed is -1"):
        batches(plain(), make_network(), 4, seed=-1)


@pytest.mark.parametrize("fit", FITS)
def test_an_oblong_input(signs, fit):
    """Training without changes and evaluation show the same part of each photo."""
    # Whole pixels round the edges of a padded image differently where it is stored larger.
    levels = 3 if fit == "pad" else 2
    input_spec = InputSpec((48, 80), fit=fit)
    network = Network(input_spec, (), (Classifier(10),))
    paths = sorted(signs.glob("5/*"))[:8]
    stored, exact = (
        np.stack([read_image(path, spec) for path in paths])
        for spec in (with_margin(input_spec), input_spec)
    )
    names = [path.name for path in paths]
    split = Split(stored, np.full(8, 5), names)
    images, _ = collect(batches(split, network, 8))
    assert images.shape == (1, 8, 48, 80, 3)
    order = np.random.default_rng((0, 0, 0)).permutation(8)
    assert np.abs(images[0] - input_spec.normalise(exact[order])).mean() * 127.5 < levels
    strong, _ = collect(batches(split, network, 8, augmentation=STRONG))
    assert strong.shape == images.shape
    chosen = calibration_images(split, network, 8, seed=0)
    assert np.abs(chosen - input_spec.normalise(exact)).mean() * 127.5 < levels
    whole = Split(exact, np.full(8, 5), names)
    (found, _), *_ = evaluated(whole, network, 8)
    np.testing.assert_array_equal(found, input_spec.normalise(exact))


def test_images_too_small_in_one_direction():
    network = Network(InputSpec((48, 80)), (), (Classifier(3),))
    with pytest.raises(UserError, match=r"are 64x64x3 .* input is 48x80x3"):
        batches(noise(side=64), network, 4)


def test_replicas_share_a_batch_in_memory(make_network):
    whole = collect(batches(noise(), make_network(), 4, steps=3, augmentation=STRONG))
    for turn in range(2):
        replicas = Replicas(count=2, mine=range(turn, turn + 1))
        part = collect(
            batches(noise(), make_network(), 4, steps=3, augmentation=STRONG, replicas=replicas)
        )
        for all_of_it, mine in zip(whole, part, strict=True):
            np.testing.assert_allclose(all_of_it[:, 2 * turn :][:, :2], mine, atol=1e-5)
    with pytest.raises(UserError, match="batch is 4; it must be a multiple of the 3 replicas"):
        batches(noise(), make_network(), 4, replicas=Replicas(count=3))
