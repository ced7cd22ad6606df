import re
from importlib import resources

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.training.recipe import Recipe, load_recipe, parse_settings

NAMES = sorted(
    file.name.removesuffix(".toml")
    for file in (resources.files("mobilenet_tf.training") / "recipes").iterdir()
)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_survives_a_round_trip(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_the_papers_numbers():
    """Easily mistaken: the dropout rate, which kernels L2 skips, no average in QAT."""
    v1, v2, v3 = (load_recipe(f"v{number}_imagenet") for number in (1, 2, 3))
    assert [recipe.bn_momentum for recipe in (v1, v2, v3)] == [0.9997, 0.997, 0.99]
    assert [recipe.dropout for recipe in (v1, v2, v3)] == [0.001, 0.2, 0.2]
    assert [recipe.train.l2 for recipe in (v1, v2, v3)] == [4e-5, 4e-5, 1e-5]
    assert [recipe.train.label_smoothing for recipe in (v1, v2)] == [0.0, 0.1]
    assert [recipe.train.ema for recipe in (v1, v2, v3)] == [0.0, 0.9999, 0.9999]
    assert [recipe.train.learning_rate for recipe in (v1, v2, v3)] == [0.045, 0.045, 0.1]
    assert v3.batch == 4096
    for recipe in (v1, v2, v3):
        assert not recipe.train.decay_depthwise
        assert recipe.train.optimizer.name == "rmsprop"
        assert recipe.train.augmentation.crop > 0
        assert recipe.qat.ema == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epoch = 3", "unknown field 'train.epoch'; did you mean 'train.epochs'?"),
        ("optimizer.names = 'sgd'", "did you mean 'train.optimizer.name'?"),
        ("epochs = 'many'", "train.epochs is 'many'; it must be of type int"),
        ("epochs = true", "train.epochs is True; it must be of type int"),
        ("epochs = 0", "train.epochs is 0; it must be at least 1"),
        ("xla = 1", "train.xla is 1; it must be of type bool"),
        ("augmentation = 1", "train.augmentation is 1; it must be a table"),
        ("augmentation.flip = 2.0", "train.augmentation.flip is 2.0; it must be from 0 to 1"),
        ("ema = 1.0", "train.ema is 1.0; it must be at least 0 and less than 1"),
        ("clip_norm = nan", "train.clip_norm is nan; it must be at least 0"),
        ("optimizer.name = 'adam'", "is 'adam'; it must be one of adamw, rmsprop, sgd"),
    ],
)
def test_a_wrong_field_is_named_in_the_error(tmp_path, change, said):
    file = tmp_path / "mine.toml"
    epochs = "" if change.startswith("epochs") else "epochs = 1\n"
    file.write_text(
        "batch = 8\nbn_momentum = 0.9\ncalibration = 64\n"
        f"[qat]\nepochs = 1\nlearning_rate = 1e-4\n[train]\nlearning_rate = 1e-3\n{epochs}{change}"
    )
    with pytest.raises(UserError, match=re.escape(said)):
        load_recipe(str(file))


def test_missing_fields_and_files(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text("batch = 8\n")
    with pytest.raises(UserError, match=r"incomplete: it has no bn_momentum"):
        load_recipe(str(file))
    with pytest.raises(UserError, match="small_data"):
        load_recipe("big_data")
    file.write_text("batch = = 8\n")
    with pytest.raises(UserError, match="not valid TOML"):
        load_recipe(str(file))


def test_any_field_can_be_set():
    recipe = load_recipe("small_data")
    asked = ["train.learning_rate=1e-2", "train.optimizer.name = sgd", "train.xla=true", "batch=8"]
    changed = recipe.with_fields(parse_settings(asked) | {"train.epochs": 3, "qat.epochs": None})
    assert changed.train.learning_rate == 0.01
    assert changed.train.optimizer.name == "sgd"
    assert changed.train.xla
    assert (changed.batch, changed.train.epochs) == (8, 3)
    assert changed.qat == recipe.qat
    assert changed.with_fields({"dropout": 0.5}).to_dict()["dropout"] == 0.5


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("learning_rate=1", "did you mean 'train.learning_rate' or 'qat.learning_rate'?"),
        ("train.epochs", "--set is 'train.epochs'; it must be FIELD=VALUE"),
        ("train.epochs=2.5", "train.epochs is 2.5; it must be of type int"),
        (
            "qat.ema=0.99",
            "qat.ema is 0.99; it must be 0, because quantization-aware training must not",
        ),
        ("qat.precision=mixed_float16", "qat.precision is 'mixed_float16'; it must be float32"),
        ("compress=cluster,int4", "it must have at most one of cluster, int4, pq, hash, each of"),
        ("compress=prune,pq", "it must have one of prune and pq: vectors of a codebook do not"),
        ("compress=qat,hash", "each once, and prune or hash first, separated by commas"),
        ("int4.depthwise=true", "int4.depthwise is true; it must be false: the stage has no form"),
        ("hash.ratio=3", "hash.ratio is 3; it must be one of 2, 4, 8, 16, 32"),
    ],
)
def test_a_wrong_setting_is_one_sentence(setting, said):
    with pytest.raises(UserError, match=re.escape(said)):
        load_recipe("small_data").with_fields(parse_settings([setting]))
