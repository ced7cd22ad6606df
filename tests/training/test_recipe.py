import re

import pytest

from mobilenet_tf.errors import UserError
from mobilenet_tf.training.recipe import Recipe, load_recipe


def test_the_default_recipe_survives_a_round_trip():
    recipe = load_recipe("small_data")
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("epoch = 3", "unknown field 'epoch'; did you mean 'epochs'?"),
        ("epochs = 'many'", "epochs is 'many'; it must be of type int"),
        ("epochs = true", "epochs is True; it must be of type int"),
        ("augmentation = 1", "augmentation is 1; it must be a table"),
        ("augmentation.flip = 2.0", "flip is 2.0; it must be from 0 to 1"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, change, said):
    file = tmp_path / "mine.toml"
    file.write_text(
        "batch = 8\nbn_momentum = 0.9\ncalibration = 64\n"
        f"[qat]\nepochs = 1\nlearning_rate = 1e-4\n[train]\nlearning_rate = 1e-3\n{change}\n"
    )
    with pytest.raises(UserError, match=re.escape(said)):
        load_recipe(str(file))


def test_missing_fields_and_files(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text("batch = 8\n")
    with pytest.raises(UserError, match="incomplete"):
        load_recipe(str(file))
    with pytest.raises(UserError, match="small_data"):
        load_recipe("big_data")
    file.write_text("batch = = 8\n")
    with pytest.raises(UserError, match="not valid TOML"):
        load_recipe(str(file))


def test_overrides():
    recipe = load_recipe("small_data").override(epochs=3, qat_epochs=0, batch=None)
    assert (recipe.train.epochs, recipe.qat.epochs) == (3, 0)
    assert recipe.batch == load_recipe("small_data").batch
