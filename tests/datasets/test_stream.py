"""Pictures that stay in tensorflow-datasets' files, written here as it writes imagenet2012's."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION, Augmentation
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.pipeline import calibration_pictures, training_batches
from mobilenet_tf.datasets.sources import tfds as source

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

tfds = pytest.importorskip("tensorflow_datasets")

TRAIN, VALIDATION = 46, 10


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory, photos):
    """`imagenet2012` with few pictures: the same features, splits, names and 1,000 classes.

    Label i of a picture is its number, so that it can be found again.
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
        patch.setattr(tfds.core.constants, "DATA_DIR", str(folder))
        patch.setattr(source, "MEMORY_LIMIT", 0)
        yield folder


@pytest.fixture(scope="module")
def photos():
    """Pieces of scikit-learn's sample photos, neither square nor of one size."""
    from sklearn.datasets import load_sample_images

    random, pieces = np.random.default_rng(0), []
    for _ in range(TRAIN + VALIDATION):
        photo = load_sample_images().images[random.integers(2)]
        height, width = random.integers(60, 140, 2)
        top, left = random.integers(0, 200, 2)
        pieces.append(photo[top : top + height, left : left + width])
    return pieces


@pytest.fixture
def data(imagenet, make_network):
    return load_data("tfds:imagenet2012", make_network(classes=1000).input)


def batches(data, spec, steps, start=0, augmentation=NO_AUGMENTATION, seed=0, **share):
    found = training_batches(data.train, spec, 4, seed, steps, start, augmentation, **share)
    return [(pictures.numpy(), labels.numpy().argmax(1)) for pictures, labels in found]


def test_parts(data):
    """The test split has no labels: validation is the test, and choices are made on train's."""
    assert len(data.classes) == 1000
    held = int(0.15 * TRAIN)
    assert (len(data.train), len(data.validation), len(data.test)) == (TRAIN - held, held, 10)
    assert sorted(data.test.labels) == list(range(TRAIN, TRAIN + VALIDATION))
    assert data.test.pictures.shape == (10, 32, 32, 3)
    assert max(data.validation.labels) < TRAIN


def test_a_pass_has_each_picture_once_and_the_next_another_order(data, make_network):
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
    """Also in the middle of a later pass, and for the random crops."""
    strong = Augmentation(crop=0.1, flip=0.5)
    whole = batches(data, make_network(classes=1000), 25, augmentation=strong)
    rest = batches(data, make_network(classes=1000), 25, start=13, augmentation=strong)
    assert len(rest) == 12
    for (pictures, labels), (others, names) in zip(whole[13:], rest, strict=True):
        np.testing.assert_array_equal(labels, names)
        np.testing.assert_array_equal(pictures, others)


def test_replicas_share_a_batch(data, make_network):
    spec, strong = make_network(classes=1000), Augmentation(crop=0.1)
    whole = batches(data, spec, 3, augmentation=strong)
    for turn in range(2):
        mine = range(turn, turn + 1)
        parts = batches(data, spec, 3, augmentation=strong, replicas=2, mine=mine)
        for (pictures, labels), (others, names) in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(labels[2 * turn :][:2], names)
            np.testing.assert_array_equal(pictures[2 * turn :][:2], others)


@pytest.mark.parametrize("channels", [1, 3])
def test_unchanged_pictures_are_prepared_as_all_others_are(
    imagenet, make_network, photos, channels
):
    """Within a few grey levels of Pillow; JPEG is what makes them differ from the originals."""
    spec = make_network(classes=1000, channels=channels, crop=0.875)
    few = load_data("tfds:imagenet2012", spec.input).train.sample(8, 0, spec.input)
    assert len(set(few.labels.tolist())) == 8
    for pixels, label in zip(few.pictures, few.labels, strict=True):
        original = prepare(Image.fromarray(photos[label]), 32, channels, 0.875)
        assert np.abs(pixels.astype(int) - original).mean() < 3


def test_random_crops_are_cut_from_the_whole_picture(imagenet, data, make_network):
    """Sharper than what is left of a picture that was made small before."""
    spec = make_network(classes=1000)
    crop = Augmentation(**{**NO_AUGMENTATION.__dict__, "crop": 0.05})
    cut = np.concatenate([pictures for pictures, _ in batches(data, spec, 8, augmentation=crop)])
    assert cut.shape == (32, 32, 32, 3)
    plain = np.concatenate([pictures for pictures, _ in batches(data, spec, 8)])
    np.testing.assert_array_less(np.abs(cut), 1.01)
    assert np.median(np.abs(cut - plain).mean(axis=(1, 2, 3))) > 0.03


def test_png_too(make_network):
    from mobilenet_tf.datasets.stream import _centre_window, _picture

    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    encoded = tf.io.encode_png(pixels)
    found = _picture(encoded, _centre_window(encoded, 1.0), 32, 3).numpy()
    expected = prepare(Image.fromarray(pixels), 32, 3, 1.0)
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_calibration_and_fingerprint(data, make_network):
    spec = make_network(classes=1000)
    assert calibration_pictures(data.train, spec, 6, 0).shape == (6, 32, 32, 3)
    assert data.fingerprint == load_data("tfds:imagenet2012", spec.input).fingerprint


def test_class_weights_need_labels(data):
    with pytest.raises(UserError, match="class_weights must be false"):
        _ = data.train.labels


def test_the_papers_recipe_trains_on_it(imagenet, tmp_path, monkeypatch):
    """The command as the documents have it, with pictures and epochs made few."""
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
