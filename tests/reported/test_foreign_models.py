"""Models of strangers: reading one does not run it, and what cannot be used is one sentence."""

import importlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reported.conftest import SMALL
from tests.reported.drive import Done, call, call_apart, refused, succeeded
from tests.reported.models import SIDE, colour_model, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported pictures")]

GIGABYTE = 2**30
KERAS_3 = "keras"  # the project itself is on tf_keras
# A "function" layer: Keras imports `os.system` and calls it with the constant.
FUNCTION = {
    "module": "os",
    "class_name": "function",
    "config": "system",
    "registered_name": "Custom>SGD",
    "name": "x",
    "inbound_nodes": [[["_CONSTANT_VALUE", -1, "touch RAN", {}]]],
}


def export(model: Path, data: Path, *options: object) -> Done:
    base = ("--data", data, "--mean", "0", "--std", "255", *options)
    return call("export", model, *base, "--out", model.parent / "out", cwd=model.parent)


def with_function(path: Path) -> Path:
    """Add the function layer to a .keras file."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    layers = config["config"]["layers"]
    layers.append(json.loads(json.dumps(FUNCTION).replace("RAN", str(path.parent / "ran"))))
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A .keras file that runs a command."""
    colour_model(batch=None).save(tmp_path / "hostile.keras")
    return with_function(tmp_path / "hostile.keras")


@pytest.mark.parametrize("how", ["model", "teacher", "weights"])
def test_reading_a_keras_file_runs_nothing(how, hostile, photos):
    if how == "model":
        refused(export(hostile, photos), "hostile.keras", "--trust-code")
    else:
        options = ("--data", photos, *SMALL, f"--{how}", hostile, "--out", hostile.parent / "out")
        done = call("train", *options)
        assert done.code == 2, done.err
    assert not (hostile.parent / "ran").exists()
    assert not (hostile.parent / "out").exists()


@pytest.mark.parametrize(
    ("name", "command"),
    [("float.keras", "quantize"), ("qat.keras", "export"), ("float.keras", "verify")],
)
def test_a_run_folder_of_a_stranger_runs_nothing(name, command, run):
    with_function(run / name)
    call(command, run, *(["--overwrite"] if command == "quantize" else []))
    assert not (run / "ran").exists()


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model"])
def test_functions_in_a_model_run_only_where_they_are_trusted(name, photos, tmp_path):
    import tf_keras as keras

    image = keras.Input((SIDE, SIDE, 3))
    twice = keras.layers.Lambda(lambda x: x * 2, name="twice")(image)
    scores = keras.layers.Dense(3, "softmax")(keras.layers.GlobalAveragePooling2D()(twice))
    keras.Model(image, scores).save(tmp_path / name)
    said = refused(export(tmp_path / name, photos), "--trust-code")
    assert name == "model" or "twice" in said
    assert not (tmp_path / "out").exists()


def test_a_small_file_that_asks_for_much_memory_is_refused(photos, tmp_path):
    import h5py

    with h5py.File(tmp_path / "weights.h5", "w") as file:
        group = file.create_group("conv1").create_group("conv1")
        group.create_dataset("kernel:0", (2**36,), "float32", chunks=(2**20,), compression="gzip")
        group.attrs["weight_names"] = [b"kernel:0"]
        file["conv1"].attrs["weight_names"] = [b"conv1/kernel:0"]
        file.attrs["layer_names"] = [b"conv1"]
    assert (tmp_path / "weights.h5").stat().st_size < 20_000
    options = ("--data", photos, *SMALL, "--weights", tmp_path / "weights.h5")
    done = call_apart("train", *options, "--out", tmp_path / "out", limit=24 * GIGABYTE)
    refused(done, "weights.h5")


# Models that cannot be used.


def outputs_of_more_axes(keras: Any) -> Any:
    image = keras.Input((SIDE, SIDE, 3))
    return keras.Model(image, keras.layers.Conv2D(3, SIDE)(image))


def half_precision(keras: Any) -> Any:
    image = keras.Input((SIDE, SIDE, 3))
    mean = keras.layers.GlobalAveragePooling2D(dtype="mixed_float16")(image)
    return keras.Model(image, keras.layers.Dense(3, "softmax", dtype="mixed_float16")(mean))


def channels_first(keras: Any) -> Any:
    image = keras.Input((3, SIDE, SIDE))
    x = keras.layers.Conv2D(4, 3, data_format="channels_first")(image)
    return keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(x)))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (outputs_of_more_axes, "output"),
        (half_precision, "float16"),
        (channels_first, "channels first"),
    ],
)
def test_an_unsuitable_model_is_one_sentence(make, said, suffix, photos, tmp_path):
    import tf_keras as keras

    path = tmp_path / f"model{suffix}"
    make(keras).save(path)
    refused(export(path, photos), f"model{suffix}", said)


def test_an_export_of_keras_3_is_one_sentence(photos, tmp_path):
    keras = importlib.import_module(KERAS_3)

    image = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(image))
    model = keras.Model(image, keras.layers.Dense(3, "softmax")(x))
    model.export(tmp_path / "model", verbose=False)
    refused(export(tmp_path / "model", photos, "--trust-code"), "model", "Keras")


# What an export says and keeps.


def test_an_export_prints_its_result_as_json(photos, tmp_path):
    colour_model(np.fliplr(np.eye(3)) * 5, batch=None).save(tmp_path / "model.keras")
    assert isinstance(succeeded(export(tmp_path / "model.keras", photos, "--json")).json, dict)


def test_exporting_over_a_folder_of_others_costs_nothing(photos, tmp_path):
    colour_model(np.fliplr(np.eye(3)) * 5, batch=None).save(tmp_path / "model.keras")
    write(tmp_path / "out" / "labels.txt", b"mine")
    write(tmp_path / "out" / "config.toml", b"title = 'mine'")
    refused(export(tmp_path / "model.keras", photos, "--overwrite"), "out")
    assert (tmp_path / "out" / "labels.txt").read_bytes() == b"mine"
    shutil.rmtree(tmp_path / "out")
