"""Weights are loaded whole or not at all, and what was not in the file is said."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tf_keras as keras
from tf_keras.src.applications import mobilenet_v3
from tf_keras.src.utils import data_utils

from mobilenet_tf import build, load_weights
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published import weights
from mobilenet_tf.networks.zoo import ZOO, make_network

REAL = Path(__file__).parents[2].parent / "shared/weights/mobilenet_v2_0.35_96_no_top.h5"
APPLICATIONS = {
    "v1": keras.applications.MobileNet,
    "v2": keras.applications.MobileNetV2,
    "v3_large": keras.applications.MobileNetV3Large,
    "v3_small": keras.applications.MobileNetV3Small,
}
PICTURE = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")


def application(top=True, classes=1000, alpha=0.25):
    return keras.applications.MobileNet(
        (32, 32, 3), alpha=alpha, include_top=top, classes=classes, weights=None
    )


def v1(**arguments):
    return build("v1", 0.25, **{"size": 32} | arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of V1 0.25 in the layout of Keras applications."""
    path = tmp_path_factory.mktemp("weights")
    application().save_weights(path / "top.h5")
    application(top=False).save_weights(path / "no_top.h5")
    return path


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, "mobilenet_tf")
    return caplog


@pytest.fixture
def published(monkeypatch, tmp_path):
    """Keras's cache with one file in it: `published(source)` puts a copy under its real name."""
    fetched = []

    def offer(source):
        def get_file(name, url, cache_subdir):
            assert url.endswith(f"/{name}")
            assert cache_subdir == "models"
            fetched.append(url)
            path = tmp_path / name
            path.write_bytes(Path(source).read_bytes())
            return str(path)

        monkeypatch.setattr(keras.utils, "get_file", get_file)
        return fetched

    return offer


def refused(model, source, said):
    """That loading fails with this sentence and leaves the model alone."""
    before = model.get_weights()
    with pytest.raises(UserError, match=said):
        load_weights(model, source)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


# Files


@pytest.mark.skipif(not REAL.exists(), reason="the shared pre-trained weights are not here")
def test_a_real_backbone():
    arguments = {"include_top": False, "pooling": "avg"}
    theirs = keras.applications.MobileNetV2((96, 96, 3), 0.35, weights=str(REAL), **arguments)
    ours = build("v2", 0.35, 96, **arguments)
    load_weights(ours, REAL)
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype("float32")
    expected = theirs(picture).numpy()
    assert expected.std() > 0.05
    np.testing.assert_allclose(ours(picture), expected, atol=1e-5 * expected.max())


def test_whole_file_gives_the_same_outputs(folder, said):
    theirs, ours = application(), v1()
    theirs.load_weights(folder / "top.h5")
    load_weights(ours, str(folder / "top.h5"))
    np.testing.assert_allclose(ours(PICTURE), theirs(PICTURE), atol=1e-6)
    assert not said.messages


def test_nested_names_of_v3(tmp_path):
    theirs = keras.applications.MobileNetV3Small(
        (32, 32, 3), include_preprocessing=False, weights=None
    )
    theirs.save_weights(tmp_path / "v3.h5")
    ours = build("v3_small", size=32, classes=9)
    hidden = theirs.get_layer("Conv_2").get_weights()
    load_weights(ours, tmp_path / "v3.h5")
    # The hidden layer is trained too and stays; only the classifier is new.
    np.testing.assert_array_equal(ours.get_layer("Conv_2").get_weights()[0], hidden[0])


@pytest.mark.parametrize(
    ("file", "classes", "note"),
    [
        ("top.h5", 7, "random weights: top.h5 has one for 1000 classes, v1_0.25_32 needs 7"),
        ("no_top.h5", 1000, "random weights: no_top.h5 has none for it"),
    ],
)
def test_new_head_keeps_the_backbone_and_says_so(folder, said, file, classes, note):
    model = v1(classes=classes)
    head = model.get_layer("conv_preds").get_weights()
    load_weights(model, folder / file)
    np.testing.assert_array_equal(model.get_layer("conv_preds").get_weights()[0], head[0])
    stored = application(top=file == "top.h5")
    stored.load_weights(folder / file)
    for name in ("conv1", "conv_pw_13_bn"):
        for old, new in zip(
            stored.get_layer(name).get_weights(), model.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(old, new)
    assert len(said.messages) == 1
    assert note in said.messages[0]


def test_a_file_with_top_fits_features(folder, said):
    load_weights(v1(include_top=False), folder / "top.h5")
    assert not said.messages


def test_grey_sums_the_stem(folder, said):
    grey, rgb = v1(channels=1), v1()
    load_weights(grey, folder / "top.h5")
    load_weights(rgb, folder / "top.h5")
    picture = PICTURE[..., :1]
    expected = rgb(np.repeat(picture, 3, axis=3)).numpy()
    np.testing.assert_allclose(grey(picture), expected, atol=1e-6)
    assert "summed for one grey channel" in said.messages[0]


def test_keras_files(tmp_path):
    trained = v1(classes=4)
    trained.save(tmp_path / "float.keras")
    again = v1(classes=4)
    load_weights(again, tmp_path / "float.keras")
    np.testing.assert_array_equal(again(PICTURE), trained(PICTURE))
    read = keras.models.load_model(tmp_path / "float.keras", compile=False)
    refused(read, tmp_path / "float.keras", "has no network")
    load_weights(read, tmp_path / "float.keras", network=trained.network)


def test_files_that_do_not_fit_change_nothing(folder, tmp_path):
    wider = build("v1", 0.5, 32)
    refused(wider, folder / "top.h5", "top.h5: layer conv1 has shapes 3x3x3x8, .* needs 3x3x3x16")
    refused(build("v2", 0.35, 32), folder / "top.h5", "55 layers with weights; v2_.* needs 104")
    # A mismatch in the last layer but one is found before the first is assigned.
    network = make_network("v1", 0.25, 32)
    last = replace(network.backbone[-1], out=128)
    changed = replace(network, backbone=(*network.backbone[:-1], last))
    refused(build_network(changed), folder / "top.h5", "layer conv_pw_13 has .* 1x1x256x128")

    model = v1()
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes((folder / "top.h5").read_bytes()[:5000])
    refused(model, damaged, "damaged.h5 cannot be read by HDF5")
    text = tmp_path / "model.keras"
    text.write_text("no zip")
    refused(model, text, "model.keras cannot be read")
    refused(model, tmp_path / "none.h5", "none.h5 does not exist")
    refused(model, "weights.bin", "weights is 'weights.bin'; it must be imagenet")
    model.save_weights(tmp_path / "new.weights.h5")
    refused(model, tmp_path / "new.weights.h5", "not a weights file in the layout of Keras")


# ImageNet


def test_hashes_are_those_keras_publishes():
    for key, (top, no_top) in mobilenet_v3.WEIGHTS_HASHES.items():
        stem = f"weights_mobilenet_v3_{key}"
        assert weights.HASHES[f"{stem}.h5"] == top
        assert weights.HASHES[f"{stem}_no_top_v2.h5"] == no_top


@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if entry.alphas])
def test_addresses_are_those_keras_uses(monkeypatch, name):
    """Asked of Keras itself, for the features of the smallest published network."""
    seen = []

    def get_file(file, url, **_):
        seen.append((file, url))
        raise ConnectionError

    monkeypatch.setattr(data_utils, "get_file", get_file)
    maker = APPLICATIONS[name.removesuffix("_minimalistic")]
    alpha = ZOO[name].alphas[0]
    extra = {"minimalistic": True} if "minimalistic" in name else {}
    for top, size in ((False, 128), (True, 224)) if name in ("v1", "v2") else ((False, 224),):
        with pytest.raises(ConnectionError):
            maker((size, size, 3), alpha, include_top=top, **extra)
        url, trained = weights.published_file(make_network(name, alpha, size), top)
        assert (url.rpartition("/")[2], url) == seen.pop()
        assert trained == size


def test_nearest_published_size():
    def size(name, alpha, wanted):
        return weights.published_file(make_network(name, alpha, wanted), True)[1]

    assert [size("v1", 0.5, wanted) for wanted in (32, 144, 200, 500)] == [128, 160, 192, 224]
    assert size("v2", 0.35, 97) == 96
    assert size("v2", 1.4, 96) == 224  # alphas above 1 were trained at 224 only
    assert size("v3_small", 0.75, 96) == 224


def test_unpublished_networks_are_named():
    refused(build("v3_small", 0.5, 32), "imagenet", "alpha is 0.5; .* published for 0.75, 1.0")
    for name in ("v4_conv_s", "xception"):
        with pytest.raises(UserError, match=f"{name} has no ImageNet weights; v1, v2, v3_large"):
            weights.published_file(make_network(name), True)
    spec = make_network("v1", 0.25)
    with pytest.raises(UserError, match="changed rows"):
        weights.published_file(replace(spec, backbone=spec.backbone[:-1]), True)


def test_no_network_is_one_sentence(monkeypatch):
    def get_file(*_, **__):
        raise Exception("URL fetch failure on https://host: None -- no route\nmore")

    monkeypatch.setattr(keras.utils, "get_file", get_file)
    refused(v1(), "imagenet", r"mobilenet_2_5_128_tf.h5 cannot be downloaded \(URL .* no route\);")


def test_imagenet_loads_remembers_the_hash_and_refuses_another_file(
    folder, published, said, tmp_path
):
    fetched = published(folder / "top.h5")
    model = v1()
    load_weights(model)
    assert fetched == [f"{weights.HOST}/mobilenet/mobilenet_2_5_128_tf.h5"]
    assert "No weights are published for size 32; those for 128" in said.messages[0]
    note = tmp_path / "mobilenet_2_5_128_tf.h5.sha256"
    assert note.read_text().strip() == hashlib.sha256((folder / "top.h5").read_bytes()).hexdigest()
    load_weights(model)

    application().save_weights(folder / "other.h5")
    published(folder / "other.h5")
    refused(model, "imagenet", "has sha256 .*; delete it and mobilenet_2_5_128_tf.h5.sha256")


def test_a_file_that_does_not_fit_is_not_remembered(folder, published, tmp_path):
    published(folder / "no_top.h5")
    refused(build("v2", 0.35, 96), "imagenet", "layers with weights")
    assert not list(tmp_path.glob("*.sha256"))


def test_published_hashes_are_checked(folder, published):
    published(folder / "top.h5")
    refused(build("v3_small", size=32), "imagenet", "has md5 .*, not 8768d4c2.*; delete it to")
    refused(build("v2", size=224), "imagenet", "has sha256 .*, not 3e195a28.*; delete it to")
