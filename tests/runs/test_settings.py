"""The settings of a run, and their file of both versions."""

import copy
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from mobilenet_tf.compression.settings import Int8Settings
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import parse_toml, read_toml
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.runs.settings import RunSettings, read_settings
from mobilenet_tf.training.recipe import load_recipe
from tests.damage import damaged

OLD = Path(__file__).parent / "fixtures" / "run_v1"
RECIPE = load_recipe("small_data")


def settings(**changes) -> RunSettings:
    values = {"data": "digits", "network": make_network("v1", 0.25, 32, 2), "recipe": RECIPE}
    return RunSettings(**values | changes)


def through_toml(values: dict) -> dict:
    return parse_toml(tomli_w.dumps(values), "config.toml")


@pytest.mark.parametrize("name", ZOO)
def test_a_file_holds_every_network_whole(name):
    network = replace(
        make_network(name, 0.35, (96, 64), 3, 1),
        input=InputSpec((96, 64), 1, 0.0, 255.0, 0.875, "pad", "lanczos"),
        name="searched",
    )
    before = settings(
        data="photos",
        network=network,
        recipe=RECIPE.with_fields({"dropout": 0.5, "train.decay.kind": "step"}),
        weights="weights.h5",
        teacher="runs/teacher",
        group_by="person",
        find_duplicates=False,
        class_order=("ä", "b", "a"),
        corrections={"a.b/ä 1.png": "b", "2.png": "-"},
        seed=3,
        int8=Int8Settings("int8", True),
        classes=("a", "b", "ä"),
    )
    assert RunSettings.from_dict(through_toml(before.to_dict())) == before


def test_paths_become_text():
    assert settings(data=Path("photos")).data == "photos"


def test_classes_decide_the_number_of_outputs():
    changed = settings().with_classes(("a", "b", "c"))
    assert changed.network.classes == 3
    assert changed.classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 3}, "version is 3; this program reads versions 1 and 2"),
        ({"colour": "red"}, "unknown field 'colour'; the fields are data, weights"),
        ({"seed": -1}, "config.toml: seed is -1"),
        ({"seed": "x"}, "seed is 'x'; it must be a whole number"),
        ({"seed": True}, "seed is True; it must be a whole number"),
        ({"data": 3}, "data is 3; it must be text"),
        ({"find_duplicates": 1}, "find_duplicates is 1; it must be true or false"),
        ({"data": "digits", "group_by": "a"}, "--group-by applies only to files; the data is"),
        ({"classes": "ab"}, "classes is 'ab'; it must be a list"),
        ({"int8": {"io": "int4"}}, "config.toml: io is 'int4'"),
        ({"int8": {"ui": "int8"}}, "config.toml: int8 has an unknown field 'ui'"),
        ({"recipe": {"name": "x"}}, "config.toml is incomplete: it has no batch"),
        ({"network": {"name": "x"}}, "config.toml: The network has no field 'backbone'"),
    ],
)
def test_a_wrong_field_is_named(change, said):
    with pytest.raises(UserError) as error:
        RunSettings.from_dict(settings().to_dict() | change)
    assert said in str(error.value)


def test_a_table_per_channel_needs_a_scale_per_channel():
    recipe = RECIPE.with_fields({"cluster.per_channel": True})
    assert settings(recipe=recipe).recipe.cluster.per_channel
    with pytest.raises(UserError, match=r"cluster\.per_channel is true; it must be false"):
        settings(recipe=recipe, int8=Int8Settings(per_tensor=True))


@pytest.mark.parametrize("name", ["data", "network", "recipe", "int8", "classes"])
def test_an_absent_field_is_named(name):
    values = {key: value for key, value in settings().to_dict().items() if key != name}
    with pytest.raises(UserError, match=f"incomplete: it has no {name}"):
        RunSettings.from_dict(values)


def test_version_1_is_read():
    old = read_settings(OLD)
    assert old == read_settings(OLD / "config.toml")
    assert old.data == "digits"
    assert old.network == make_network("v1", 0.05, 32, 10, 1)
    assert old.classes == tuple("0123456789")
    assert (old.weights, old.teacher, old.seed, old.int8) == ("none", "none", 3, Int8Settings())
    assert (old.recipe.batch, old.recipe.train.epochs, old.recipe.qat.epochs) == (64, 2, 1)
    assert old.recipe.deterministic
    assert not old.find_duplicates  # so that its splits stay as they were
    assert RunSettings.from_dict(through_toml(old.to_dict())) == old


def test_preprocessing_of_version_1_is_kept():
    values = read_toml(OLD / "config.toml")
    values["model"]["preprocessing"] = {"mean": 0.0, "std": 255.0, "crop": 0.875}
    assert RunSettings.from_dict(values).network.input == InputSpec(32, 1, 0.0, 255.0, 0.875)


def test_version_1_has_the_published_tables():
    """V3's row in full: alpha is applied, but the table of version 1 does not have it."""
    values = read_toml(OLD / "config.toml")
    rows = [
        [3, 16, 16, True, "relu", 2], [3, 72, 24, False, "relu", 2],
        [3, 88, 24, False, "relu", 1], [5, 96, 40, True, "hard_swish", 2],
        [5, 240, 40, True, "hard_swish", 1], [5, 240, 40, True, "hard_swish", 1],
        [5, 120, 48, True, "hard_swish", 1], [5, 144, 48, True, "hard_swish", 1],
        [5, 288, 96, True, "hard_swish", 2], [5, 576, 96, True, "hard_swish", 1],
        [5, 576, 96, True, "hard_swish", 1],
    ]  # fmt: skip
    values["model"] |= {"name": "v3_small", "alpha": 0.5, "rows": rows}
    assert RunSettings.from_dict(values).network == make_network("v3_small", 0.5, 32, 10, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda model: model["rows"][2].__setitem__(2, 136), "model.rows is not the published"),
        (lambda model: model["rows"].pop(), "model.rows is not the published table of v1"),
        (lambda model: model.update(name="v9"), "There is no model named 'v9'"),
        (lambda model: model.pop("alpha"), "incomplete: it has no alpha"),
        (lambda model: model.update(rows=3), "a field of the wrong type"),
    ],
)
def test_what_version_1_cannot_say_now_is_refused(change, said):
    values = copy.deepcopy(read_toml(OLD / "config.toml"))
    change(values["model"])
    with pytest.raises(UserError, match=r"config\.toml") as error:
        RunSettings.from_dict(values)
    assert said in str(error.value)


@pytest.mark.parametrize("value", ["text", -1, 1e308, [], {}, 10**25, True])
def test_no_damage_ends_in_a_traceback(value):
    """Files of both versions are read, or a UserError says why not."""
    for values in (read_toml(OLD / "config.toml"), settings().to_dict()):
        for one in damaged(values, value):
            if isinstance(one, dict):  # as every TOML file is
                with suppress(UserError):
                    RunSettings.from_dict(one)
