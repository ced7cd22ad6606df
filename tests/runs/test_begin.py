"""What a new run and a resumed run reject before any work is done."""

from dataclasses import replace

import pytest

from mobilenet_tf.commands.quantize import quantize
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.requantize import requantized
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

SETTINGS = RunSettings(
    data="digits",
    network=make_network("v1", 0.25, 32, channels=1),
    recipe=load_recipe("small_data"),
)


def test_frozen_random_weights_are_refused(tmp_path):
    settings = replace(SETTINGS, recipe=load_recipe("transfer"))
    with pytest.raises(UserError, match="starts with frozen layers, but weights is none"):
        begin(settings, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def run(tmp_path) -> Run:
    return begin(SETTINGS, out=tmp_path / "run")


def test_the_dataset_decides_the_classes(run):
    assert run.network.classes == 10
    assert run.classes == tuple("0123456789")
    opened = Run.open(run.folder.path)
    assert opened.settings == run.settings
    assert opened.data.fingerprint == run.data.fingerprint
    assert run.result().model.input == SETTINGS.network.input


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "was started with seed = 0, not 1"),
        ({"network": make_network("v1", 0.5, 32, channels=1)}, "network.alpha = 0.25, not 0.5"),
        (
            {"network": replace(SETTINGS.network, backbone=SETTINGS.network.backbone[:-1])},
            "was started with another network.backbone",
        ),
        ({"recipe": SETTINGS.recipe.with_fields({"batch": 8})}, "recipe.batch = 32, not 8"),
    ],
)
def test_resuming_needs_the_same_settings(run, change, said):
    with pytest.raises(UserError, match="--resume needs the same settings") as error:
        begin(replace(SETTINGS, **change), out=run.folder.path, resume=True)
    assert said in str(error.value)
    assert begin(SETTINGS, out=run.folder.path, resume=True).settings == run.settings


def test_other_classes_than_those_of_the_settings_are_refused(run, tmp_path):
    settings = replace(run.settings, classes=tuple("abcdefghij"))
    with pytest.raises(UserError, match="0, 1, 2, 3, 4, 5, 6, 7, 8, 9, not those of the settings"):
        begin(settings, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_quantizing_again_needs_the_same_settings_or_overwrite(run):
    assert requantized(run, per_tensor=True).settings.int8.per_tensor
    checkpoint = run.folder.checkpoints / "qat.npz"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"")
    opened = Run.open(run.folder.path)
    assert opened.settings.int8.per_tensor
    with pytest.raises(UserError, match="was quantized with other settings; --overwrite"):
        requantized(opened, fields={"qat.epochs": 7})
    assert requantized(opened, io="int8").settings.int8.io == "int8"
    again = requantized(opened, fields={"qat.epochs": 7}, overwrite=True)
    assert again.settings.recipe.qat.epochs == 7
    assert not checkpoint.exists()


def test_options_that_are_not_given_leave_fields_alone(run, monkeypatch):
    (run.folder.path / "float.keras").write_bytes(b"")
    monkeypatch.setattr("mobilenet_tf.commands.quantize.quantize_run", lambda run: None)
    changed = quantize(run.folder.path, fields={"qat.epochs": 7, "compress": "prune,qat"})
    recipe = changed.settings.recipe
    assert (recipe.qat.epochs, recipe.compress) == (7, "prune,qat")


def test_other_stages_keep_what_was_trained_in_the_same_way(run):
    checkpoint = run.folder.checkpoints / "prune.npz"
    checkpoint.parent.mkdir()
    pruned = requantized(run, fields={"compress": "prune"})
    checkpoint.write_bytes(b"")
    more = requantized(pruned, fields={"compress": "prune,cluster,qat", "cluster.values": 8})
    assert more.settings.recipe.stages == ("prune", "cluster", "qat")
    with pytest.raises(UserError, match="was quantized with other settings; --overwrite"):
        requantized(more, fields={"prune.sparsity": 0.9})
    with pytest.raises(UserError, match=r"train.epochs is no field of the stages after float"):
        requantized(more, fields={"train.epochs": 9})
    assert checkpoint.exists()
    requantized(more, fields={"prune.sparsity": 0.9}, overwrite=True)
    assert not checkpoint.exists()
