"""Every quantity has bounds, and one place for them."""

import pytest

from mobilenet_tf.commands.benchmark import benchmark
from mobilenet_tf.commands.choose import choose
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.units import parse_bytes, parse_count, parse_milliseconds, parse_sides
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("seed", [2**32, -1, 1.5, True, NAN])
def test_seeds(seed):
    network, recipe = make_network("v1", 0.25, 32), load_recipe("small_data")
    with pytest.raises(UserError, match="seed is"):
        RunSettings(data="digits", network=network, recipe=recipe, seed=seed)
    assert RunSettings(data="digits", network=network, recipe=recipe, seed=2**32 - 1).seed


@pytest.mark.parametrize("alpha", [1e308, INF, NAN, 0, -1, "1"])
def test_alphas(alpha):
    with pytest.raises(UserError, match="alpha is"):
        make_network("v1", alpha)


@pytest.mark.parametrize("classes", [0, 10**9, 1.5, True])
def test_classes(classes):
    with pytest.raises(UserError, match="classes is"):
        make_network("v1", classes=classes)


@pytest.mark.parametrize(
    ("mean", "std"), [(NAN, 1.0), (INF, 1.0), (1e300, 1.0), (0.0, NAN), (0.0, INF), (0.0, 1e-300)]
)
def test_normalisation(mean, std):
    with pytest.raises(UserError, match=r"(mean|std) is"):
        InputSpec(32, 3, mean, std)


@pytest.mark.parametrize("threads", [0, -1, 100_000, 10**30])
def test_threads(threads):
    with pytest.raises(UserError, match="threads is"):
        benchmark(["none.tflite"], threads=[threads])
    with pytest.raises(UserError, match="threads is"):
        choose(threads=threads)


@pytest.mark.parametrize(
    "fields",
    [{"batch": 10**9}, {"train.epochs": 10**12}, {"train.learning_rate": INF},
     {"train.learning_rate": 1e300}, {"train.weight_decay": NAN}],
)  # fmt: skip
def test_recipes(fields):
    with pytest.raises(UserError, match=f"{next(iter(fields))} is"):
        load_recipe("small_data").with_fields(fields)


def test_quantities_are_exact():
    assert parse_bytes("4.1MB", "--max-flash") == 4_100_000
    assert parse_bytes("1.1KiB", "--max-flash") == 1126
    assert parse_count("1.1M", "--max-macs") == 1_100_000
    assert parse_milliseconds("800us", "--max-latency") == 0.8


def test_sides():
    assert parse_sides(None, "--size") is None
    assert parse_sides("96", "--size") == 96
    assert parse_sides(" 96x128 ", "--size") == (96, 128)


@pytest.mark.parametrize("text", ["", "0", "x96", "96x", "96x0", "96X128", "1e2", "-96", "9" * 10])
def test_what_is_no_side(text):
    with pytest.raises(
        UserError, match=r"--size is .* pixels such as 96, or height and width such"
    ):
        parse_sides(text, "--size")


@pytest.mark.parametrize("text", ["0.5", "0", "1e5", "9" * 400, "99999999999999MB", "nan", "٣KB"])
def test_quantities_have_bounds(text):
    with pytest.raises(UserError, match="--max-flash is"):
        parse_bytes(text, "--max-flash")
