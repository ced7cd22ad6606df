"""Reading a model does not run it, and a run's models are built from its settings."""

import json
import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import build
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import open_foreign
from mobilenet_tf.runs.models import load_float, load_qat
from mobilenet_tf.runs.run import begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe
from tests.sources import ROOT, package

OLD = Path(__file__).parent / "fixtures" / "run_v1"
LAYERS = keras.layers
# A "function" layer: Keras imports `os.system` and calls it with the constant.
FUNCTION = {
    "module": "os",
    "class_name": "function",
    "config": "system",
    "registered_name": "Custom>SGD",
    "name": "x",
    "inbound_nodes": [[["_CONSTANT_VALUE", -1, "touch pwned", {}]]],
}


def rewritten(source: Path, target: Path, change) -> Path:
    """Copy a .keras file with another configuration: `change(config)` alters it in place."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return target


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.keras"
    image = keras.Input((32, 32, 1))
    x = LAYERS.Conv2D(4, 3, activation="relu")(image)
    keras.Model(image, LAYERS.Dense(3)(LAYERS.Flatten()(x))).save(path)
    return path


@pytest.fixture
def run(tmp_path):
    return RunFolder(shutil.copytree(OLD, tmp_path / "run"))


def test_one_function_lets_keras_read_models():
    found = [
        source.name
        for source in package()
        if re.search(
            r"\b(load_model|model_from_json|from_saved_model|saved_model\.load)\(", source.text
        )
    ]
    assert found == ["mobilenet_tf/runs/foreign.py"]
    for path in (ROOT / "benchmarks").glob("*.py"):
        assert "load_model(" not in path.read_text(encoding="utf-8")


def test_models_of_a_run_are_those_that_were_saved(run):
    from mobilenet_tf.compression import quantized_layer  # noqa: F401  registers its classes

    for path, read in ((run.float_model, load_float(run)), (run.qat_model, load_qat(run))):
        saved = keras.models.load_model(path, compile=False)
        assert [layer.name for layer in read.layers] == [layer.name for layer in saved.layers]
        for now, before in zip(read.get_weights(), saved.get_weights(), strict=True):
            np.testing.assert_array_equal(now, before)
        images = np.random.default_rng(0).uniform(-1, 1, (4, *read.input_shape[1:])).astype("f")
        np.testing.assert_array_equal(read(images), saved(images))


def test_code_in_the_models_of_a_run_is_not_read(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = load_float(run).get_weights()
    for path in (run.float_model, run.qat_model):
        copy = shutil.move(path, tmp_path / path.name)
        rewritten(copy, path, lambda config: config["config"]["layers"].append(FUNCTION))
    for now, old in zip(load_float(run).get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, old)
    with pytest.raises(UserError, match=r"qat\.keras does not hold the network of config\.toml"):
        load_qat(run)
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["config"]["quantize_config"]["config"].update(output=[0.0, float("nan")]),
        lambda one: one["config"]["quantize_config"]["config"].update(inputs=[]),
        lambda one: one["config"]["quantize_config"]["config"].update(rounds="no"),
        lambda one: one["config"]["quantize_config"]["config"].update(bits=5),
        lambda one: one["config"].pop("quantize_config"),
    ],
    ids=["nan", "no inputs", "text", "bits", "no ranges"],
)
def test_damaged_ranges_are_one_sentence(run, tmp_path, change):
    copy = shutil.move(run.qat_model, tmp_path / "copy.keras")
    rewritten(copy, run.qat_model, lambda config: change(config["config"]["layers"][3]))
    with pytest.raises(UserError, match=r"qat\.keras does not hold the network"):
        load_qat(run)


def test_kernels_of_4_bits_are_read_as_such(run, tmp_path):
    def narrow(config):
        for layer in config["config"]["layers"][1:]:
            layer["config"]["quantize_config"]["config"]["bits"] = 4

    rewritten(shutil.move(run.qat_model, tmp_path / "copy.keras"), run.qat_model, narrow)
    kernels = [layer for layer in load_qat(run).layers[1:] if layer.weight is not None]
    assert {layer.weight_quantizer.bits for layer in kernels} == {4}


def test_damaged_models_of_a_run_are_one_sentence(run):
    build("v1", 0.25, 32, 10, 1).save(run.float_model)  # of another run
    with pytest.raises(UserError, match=r"float\.keras does not hold the network"):
        load_float(run)
    run.float_model.write_bytes(run.qat_model.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"float\.keras cannot be read as a tf_keras model"):
        load_float(run)
    run.float_model.write_bytes(b"")
    with pytest.raises(UserError, match=r"float\.keras cannot be read: it is neither"):
        load_float(run)


def _append(config):
    config["config"]["layers"].append(FUNCTION)


def _registered(config):
    config["config"]["layers"][1]["registered_name"] = "Custom>SGD"


def _module(config):
    config["config"]["layers"][1]["module"] = "subprocess"


def _activation(config):
    config["config"]["layers"][1]["config"]["activation"] = {
        "module": "os", "class_name": "function", "config": "system", "registered_name": "function",
    }  # fmt: skip


def _initializer(config):
    config["config"]["layers"][1]["config"]["kernel_initializer"] = {
        "module": "os", "class_name": "system", "config": {}, "registered_name": None,
    }  # fmt: skip


def _typespec(config):
    config["config"]["layers"][0]["config"]["spec"] = {
        "class_name": "__typespec__", "spec_name": "system", "module": "os", "config": [],
        "registered_name": None,
    }  # fmt: skip


def _operator(config):
    config["config"]["layers"][1] |= {
        "class_name": "TFOpLambda", "config": {"name": "read", "function": "io.read_file"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "change", [_append, _registered, _module, _activation, _initializer, _typespec, _operator]
)
def test_models_that_name_code_are_refused(small, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    hostile = rewritten(small, tmp_path / "hostile.keras", change)
    with pytest.raises(UserError, match=r"hostile\.keras runs code .*; use --trust-code"):
        open_foreign(hostile).load()
    assert os.listdir(tmp_path) == ["hostile.keras"]


def test_files_of_strangers_are_checked_before_a_run_begins(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = str(rewritten(small, tmp_path / "hostile.keras", _append))
    (tmp_path / "text.h5").write_text("no weights")
    settings = RunSettings(
        data="digits",
        network=make_network("v1", 0.25, 32, channels=1),
        recipe=load_recipe("small_data"),
    )
    for change in ({"teacher": hostile}, {"weights": "text.h5"}):
        with pytest.raises(UserError, match=r"hostile\.keras runs code|text\.h5 cannot be read"):
            begin(replace(settings, **change), out="out")
    assert not Path("out").exists()


def _with_lambda(path):
    image = keras.Input((32, 32, 1))
    x = LAYERS.Lambda(lambda x: x * 2, name="twice")(image)
    keras.Model(image, LAYERS.Dense(3)(LAYERS.Flatten()(x))).save(path)
    return path


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_lambdas_run_only_where_they_are_trusted(tmp_path, name, caplog):
    path = _with_lambda(tmp_path / name)
    with pytest.raises(UserError, match=r"runs code .*Lambda \(layer twice\); use --trust-code"):
        open_foreign(path).load()
    assert open_foreign(path, trust_code=True).load().get_layer("twice") is not None
    open_foreign(path, trust_code=True)
    assert caplog.text.count("Lambda (layer twice)") == 1


def test_saved_models_need_trust(small, tmp_path):
    keras.models.load_model(small, compile=False).save(tmp_path / "saved")
    with pytest.raises(UserError, match="saved is a SavedModel, whose functions run"):
        open_foreign(tmp_path / "saved").load()
    assert open_foreign(tmp_path / "saved", trust_code=True).load().count_params()
    (tmp_path / "saved" / "keras_metadata.pb").unlink()
    with pytest.raises(UserError, match="a SavedModel without a Keras model"):
        open_foreign(tmp_path / "saved", trust_code=True).load()


def test_other_kinds_of_models_are_named(small, tmp_path):
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    half = {"module": "keras.mixed_precision", "class_name": "Policy", "registered_name": None,
            "config": {"name": "mixed_float16"}}  # fmt: skip

    def set_in_layer(key, value):
        return lambda config: config["config"]["layers"][1]["config"].update({key: value})

    for change, said in (
        (set_in_layer("dtype", policy), "was saved by Keras"),
        (set_in_layer("dtype", half), r"computes in float16 \(layer conv2d\w*\)"),
        (set_in_layer("data_format", "channels_first"), r"channels first .NCHW, layer conv2d"),
    ):
        path = rewritten(small, tmp_path / "other.keras", change)
        with pytest.raises(UserError, match=said):
            open_foreign(path).load()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: keras.applications.MobileNetV3Small((96, 96, 3), 0.75, weights=None),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: keras.applications.EfficientNetB0(input_shape=(64, 64, 3), weights=None),
            marks=pytest.mark.slow,
        ),
        lambda: keras.Sequential(
            [
                keras.applications.MobileNetV2((64, 64, 3), 0.35, include_top=False, weights=None),
                LAYERS.GlobalAveragePooling2D(),
                LAYERS.Dropout(0.2),
                LAYERS.Dense(3, activation="softmax", kernel_regularizer="l2"),
            ]
        ),
    ],
    ids=["v3", "efficientnet", "nested"],
)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_ordinary_models_are_read(tmp_path, make, suffix):
    model = make()
    model.save(tmp_path / f"model{suffix}")
    read = open_foreign(tmp_path / f"model{suffix}").load()
    for now, before in zip(read.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, before)
