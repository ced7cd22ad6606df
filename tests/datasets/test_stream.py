"""Images that stay in files of tensorflow-datasets, which are written here like imagenet2012's."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation
from mobilenet_tf.datasets.batch_plan import ONE_REPLICA, BatchPlan, Replicas
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import calibration_images, training_batches
from mobilenet_tf.datasets.set_aside import set_aside
from mobilenet_tf.datasets.sources import tfds as source
from mobilenet_tf.datasets.stream import _decode, _placement, _random_boxes
from mobilenet_tf.networks.rows import Classifier, Network
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

tfds = pytest.importorskip("tensorflow_datasets")

TRAIN, VALIDATION = 46, 10


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory, photos):
    """`imagenet2012` with few images: the same features, splits, names and 1,000 classes.

    Label i of a image is its number, so that it can be found again.
    """
    from tensorflow_datasets.core.dataset_builders.adhoc_builder import store_as_tfds_dataset

    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    builder = tfds.builder("imagenet2012", data_dir=folder)

    def examples(first, count, labelled=True):
        return {
            number: {
                "file_name": f"{number}.JPEG",
                "image": photos[number],
                "label": number if labelled else -1,
            }
            for number in range(first, first + count)
        }.items()

    store_as_tfds_dataset(
        name="imagenet2012",
        version=str(builder.version),
        features=builder.info.features,
        split_datasets={
            "train": examples(0, TRAIN),
            "validation": examples(TRAIN, VALIDATION),
            "test": examples(TRAIN, 3, labelled=False),
        },
        data_dir=folder,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(tfds.core.constants, "DATA_DIR", str(folder))
        patch.setattr(source, "MEMORY_LIMIT", 0)
        yield folder


@pytest.fixture(scope="module")
def photos():
    """Return parts of scikit-learn's sample photos, of different sizes and not square."""
    from sklearn.datasets import load_sample_images

    random, pieces = np.random.default_rng(0), []
    for _ in range(TRAIN + VALIDATION):
        photo = load_sample_images().images[random.integers(2)]
        height, width = random.integers(60, 140, 2)
        top, left = random.integers(0, 200, 2)
        pieces.append(photo[top : top + height, left : left + width])
    for number in (4, TRAIN + 3):
        pieces[number] = np.full_like(pieces[number], 90)
    return pieces


@pytest.fixture
def data(imagenet, make_network):
    return load_data("tfds:imagenet2012", make_network(classes=1000).input)


def batches(
    data, network, steps, start=0, augmentation=NO_AUGMENTATION, seed=0, replicas=ONE_REPLICA
):
    plan = BatchPlan(batch=4, seed=seed, steps=steps, start_step=start)
    learned = CrossEntropy(network.classes)
    found = training_batches(
        data.train, network.input, learned, plan, augmentation=augmentation, replicas=replicas
    )
    return [(images.numpy(), labels.numpy().argmax(1)) for images, labels in found]


def test_parts(data):
    """The test split has no labels: validation is used for it, and part of train for choices."""
    assert len(data.classes) == 1000
    held = int(0.15 * TRAIN)
    assert (len(data.train), len(data.validation), len(data.test)) == (TRAIN - held, held, 10)
    assert sorted(data.test.labels) == list(range(TRAIN, TRAIN + VALIDATION))
    assert data.test.images.shape == (10, 32, 32, 3)
    assert max(data.validation.labels) < TRAIN
    (note,) = data.notes
    assert "images are of one colour, or nearly so (imagenet2012-train.tfrecord-" in note
    assert "imagenet2012-validation.tfrecord-" in note


def test_a_pass_has_each_image_once_and_the_next_another_order(data, make_network):
    count = len(data.train)
    labels = np.concatenate(
        [found for _, found in batches(data, make_network(classes=1000), count)]
    )
    passes = labels[: 4 * count].reshape(4, count)
    expected = set(range(TRAIN)) - set(data.validation.labels)
    for one in passes:
        assert set(one) == expected
    assert not np.array_equal(passes[0], passes[1])
    other = np.concatenate(
        [found for _, found in batches(data, make_network(classes=1000), 5, seed=1)]
    )
    assert not np.array_equal(other, labels[:20])


def test_a_run_that_goes_on_sees_what_it_would_have_seen(data, make_network):
    """This also holds in the middle of a later pass, and for random crops."""
    strong = Augmentation(crop=0.1, flip=0.5)
    whole = batches(data, make_network(classes=1000), 25, augmentation=strong)
    rest = batches(data, make_network(classes=1000), 25, start=13, augmentation=strong)
    assert len(rest) == 12
    for (images, labels), (others, names) in zip(whole[13:], rest, strict=True):
        np.testing.assert_array_equal(labels, names)
        np.testing.assert_array_equal(images, others)


def test_replicas_share_a_batch(data, make_network):
    network, strong = make_network(classes=1000), Augmentation(crop=0.1)
    whole = batches(data, network, 3, augmentation=strong)
    for turn in range(2):
        replicas = Replicas(count=2, mine=range(turn, turn + 1))
        parts = batches(data, network, 3, augmentation=strong, replicas=replicas)
        for (images, labels), (others, names) in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(labels[2 * turn :][:2], names)
            np.testing.assert_array_equal(images[2 * turn :][:2], others)


@pytest.mark.parametrize("channels", [1, 3])
def test_unchanged_images_are_prepared_as_all_others_are(imagenet, make_network, photos, channels):
    """They differ from Pillow by a few grey levels, mainly because of the JPEG compression."""
    network = make_network(classes=1000, channels=channels, crop=0.875)
    few = load_data("tfds:imagenet2012", network.input).train.sample(8, 0, network.input)
    assert len(set(few.labels.tolist())) == 8
    for pixels, label in zip(few.images, few.labels, strict=True):
        original = prepare(Image.fromarray(photos[label]), network.input)
        assert np.abs(pixels.astype(int) - original).mean() < 3


def test_random_crops_are_cut_from_the_whole_image(imagenet, data, make_network):
    """They are sharper than crops of an image that was resized before."""
    network = make_network(classes=1000)
    crop = Augmentation(**{**NO_AUGMENTATION.__dict__, "crop": 0.05})
    cut = np.concatenate([images for images, _ in batches(data, network, 8, augmentation=crop)])
    assert cut.shape == (32, 32, 32, 3)
    plain = np.concatenate([images for images, _ in batches(data, network, 8)])
    np.testing.assert_array_less(np.abs(cut), 1.01)
    assert np.median(np.abs(cut - plain).mean(axis=(1, 2, 3))) > 0.03


def test_png_too():
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    input_spec = InputSpec(32)
    encoded = tf.io.encode_png(pixels)
    found = _decode(encoded, *_placement(encoded, input_spec), input_spec).numpy()
    expected = prepare(Image.fromarray(pixels), input_spec)
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_calibration_and_fingerprint(data, make_network):
    network = make_network(classes=1000)
    assert calibration_images(data.train, network, 6, 0).shape == (6, 32, 32, 3)
    assert data.fingerprint == load_data("tfds:imagenet2012", network.input).fingerprint


def test_the_last_images_of_each_file_are_set_aside(data, make_network):
    network = make_network(classes=1000)
    rest, held = set_aside(data.train, 0.2, 0, network.input)
    assert len(rest) + len(held) == len(data.train)
    assert held.images.shape[1:] == network.input.shape
    everything = set(data.train.sample(len(data.train), 0, network.input).labels)
    learned = set(rest.sample(len(rest), 0, network.input).labels)
    assert learned.isdisjoint(held.labels)
    assert learned | set(held.labels) == everything


def test_class_weights_need_labels(data):
    with pytest.raises(UserError, match="class_weights must be false"):
        _ = data.train.labels


@pytest.mark.slow
def test_the_papers_recipe_trains_on_it(imagenet, tmp_path, monkeypatch, short_networks):
    """Run the documented command with few images and epochs."""
    from mobilenet_tf.__main__ import main

    out = tmp_path / "run"
    command = "train --data tfds:imagenet2012 --recipe v3_imagenet --model v3_small --alpha 0.75"
    arguments = [*command.split(), "--size", "32", "--epochs", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["mobilenet-tf", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["data"]["train"] < TRAIN
    assert len(result["history"]["float"]["loss"]) == 1
    assert np.isfinite(result["history"]["float"]["val_loss"][0])
    recipe = tomllib.loads((out / "config.toml").read_text(encoding="utf-8"))["recipe"]
    assert (recipe["batch"], recipe["dropout"]) == (4096, 0.2)
    assert (recipe["train"]["ema"], recipe["train"]["optimizer"]["name"]) == (0.9999, "rmsprop")
    assert (out / "float.keras").is_file()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_fit_and_filter_is_that_of_pillow(fit, resize, channels):
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (12, 14, 3), dtype=np.uint8))
    # Sides of whole ratios: at others, `box` and `nearest` may choose another pixel.
    image = small.resize((160, 160), Image.Resampling.BICUBIC)
    input_spec = InputSpec((40, 80), channels, mean=99.7, fit=fit, resize=resize)
    encoded = tf.io.encode_png(np.asarray(image))
    found = _decode(encoded, *_placement(encoded, input_spec), input_spec).numpy()
    assert (found.shape, found.dtype) == (input_spec.shape, np.uint8)
    difference = np.abs(found.astype(int) - prepare(image, input_spec))
    assert difference.max() <= 2


@pytest.mark.parametrize("fit", FITS)
def test_an_oblong_input(imagenet, fit):
    input_spec = InputSpec((40, 80), fit=fit)
    network = Network(input_spec, (), (Classifier(1000),))
    data = load_data("tfds:imagenet2012", input_spec)
    assert data.test.images.shape == (10, 40, 80, 3)
    for augmentation in (NO_AUGMENTATION, Augmentation(crop=0.1)):
        (images, _), *_ = batches(data, network, 1, augmentation=augmentation)
        assert images.shape == (4, 40, 80, 3)
    assert calibration_images(data.train, network, 6, 0).shape == (6, 40, 80, 3)


def test_random_crops_have_the_shape_of_the_input():
    encoded = tf.io.encode_png(np.zeros((300, 300, 3), np.uint8))
    ratios = []
    for seed in range(100):
        box, target = _random_boxes(encoded, InputSpec((40, 80)), 0.1, (seed, 0))
        left, top, right, bottom = box.numpy().tolist()
        assert 0 <= left < right <= 300
        assert 0 <= top < bottom <= 300
        assert target.numpy().tolist() == [0, 0, 80, 40]
        ratios.append((right - left) / (bottom - top))
    assert 1.45 < min(ratios) < 1.7
    assert 2.4 < max(ratios) < 2.75
