"""The space of a search and the networks in it that a budget allows, without TensorFlow."""

import re

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.affordable import affordable, restore
from mobilenet_tf.selection.cost import COUNTED, Budget, Cost, CountedTable
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import DEFAULT_SPACE, Range, load_space
from mobilenet_tf.training.recipe import load_recipe

RECIPE = load_recipe("small_data")
NETWORKS = 'model = ["v1"]\nalpha = [0.25, 0.5]\nsize = [32, 64]\n'


@pytest.fixture
def space_of(tmp_path):
    """A function from fields in TOML to the space that a file of them makes."""

    def load(fields: str, networks: str = NETWORKS):
        file = tmp_path / "space.toml"
        file.write_text(networks + fields)
        return load_space(file, RECIPE)

    return load


def test_the_default_space_suits_the_default_recipe():
    space = load_space(DEFAULT_SPACE, RECIPE)
    assert len(space.networks(10, InputSpec())) == len(space.model) * len(space.alpha) * len(
        space.size
    )
    assert space.fields["train.learning_rate"].log


def test_lists_and_ranges(space_of):
    space = space_of(
        "batch = { min = 8, max = 64, log = true }\ndropout = [0, 0.25]\n"
        'train.optimizer.name = ["adamw", "sgd"]\ntrain.ema = { min = 0, max = 0.999 }\n'
    )
    assert space.fields == {
        "batch": Range(8, 64, log=True, whole=True),
        "dropout": (0.0, 0.25),
        "train.optimizer.name": ("adamw", "sgd"),
        "train.ema": Range(0, 0.999, log=False, whole=False),
    }
    narrowed = space.narrowed(model=None, alpha=[0.35], size=[96])
    assert [network.alpha for network in narrowed.networks(10, InputSpec())] == [0.35]
    assert narrowed.fields == space.fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("learning_rate = [1e-3]", "unknown field 'learning_rate'; did you mean 'train.learning_r"),
        ("batch = [8, 0]", "batch is 0; it must be at least 1"),
        (
            "train.ema = { min = 0.5, max = 1.0 }",
            "train.ema is 1.0; it must be at least 0 and less",
        ),
        ("batch = 8", "batch is 8; it must be a list of values, or a table of min, max"),
        ("batch = []", "batch is []; it must be a list"),
        (
            "train.learning_rate = { min = 1e-3 }",
            "must be a list of values, or a table of min, max",
        ),
        ("train.ema = { min = 0.5, max = 0.5 }", "min must be less than max"),
        ("train.ema = { min = 0.0, max = 0.5, log = true }", "min must be greater than 0 and less"),
        ("train.epochs = [3, 6]", "train.epochs cannot be tuned"),
        ("qat.learning_rate = [1e-4]", "qat.learning_rate cannot be tuned"),
        ("batch = = 8", "is not valid TOML"),
    ],
)
def test_a_field_that_cannot_be_varied_is_an_error(space_of, fields, message):
    with pytest.raises(UserError, match=re.escape(message)):
        space_of(fields)


def test_networks_have_to_be_lists(space_of, tmp_path):
    with pytest.raises(UserError, match="alpha is None; it must be a list"):
        space_of("", 'model = ["v1"]\nsize = [32]\n')
    with pytest.raises(UserError, match="no model named 'v9'"):
        space_of("", NETWORKS.replace("v1", "v9")).networks(10, InputSpec())
    with pytest.raises(UserError, match=r"none\.toml cannot be read"):
        load_space(tmp_path / "none.toml", RECIPE)


class Latencies(CountedTable):
    """A device on which networks take 0, 1, 2 ... milliseconds, in the order of being asked."""

    known = COUNTED | {"latency"}
    asked = 0

    def cost(self, network):
        self.asked += 1
        return Cost(self.asked - 1, 1, 1, 1)


def test_only_networks_within_every_limit_are_kept(space_of):
    networks, table = space_of("").networks(10, InputSpec(channels=1)), CountedTable()
    macs = sorted(count(network).macs for network in networks)
    fitting = affordable(networks, Budget(macs=macs[1]), table)
    assert [one.cost.macs for one in fitting] == macs[:2]
    ram = count(make_network("v1", 0.25, 32, 10, 1)).peak_activation_bytes
    (cheapest,) = affordable(networks, Budget(macs=macs[1], ram=ram), table)
    assert cheapest.label == "v1 0.25 32"
    nearest = rf"v1 0\.25 32 comes nearest, with {macs[0]:,} of {macs[0] - 1:,} multiply-adds"
    with pytest.raises(UserError, match=nearest):
        affordable(networks, Budget(macs=macs[0] - 1), table)
    # Costs that are measured are limited in the same way.
    assert len(affordable(networks, Budget(latency=1.5), Latencies())) == 2
    with pytest.raises(UserError, match="Latency on the device counted cannot be measured"):
        affordable(networks, Budget(latency=1.5), table)
    assert restore(networks, [one.to_dict() for one in fitting]) == fitting


def test_settings_are_checked(space_of):
    settings = {
        "data": "digits",
        "input": InputSpec(32, 1),
        "recipe": RECIPE,
        "space": space_of(""),
    }
    with pytest.raises(UserError, match="algorithm is 'grid'; it must be one of hyperband, bay"):
        SearchSettings(**settings, algorithm="grid")
    with pytest.raises(UserError, match="seed is -1; it must be at least 0"):
        SearchSettings(**settings, seed=-1)
    with pytest.raises(UserError, match=r"train\.epochs is 0; it must be at least 1"):
        SearchSettings(**settings, epochs=0)
    assert SearchSettings(**settings, epochs=7).longest == 7
    assert SearchSettings(**settings).longest == RECIPE.train.epochs
