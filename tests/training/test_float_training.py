import pytest

from mobilenet_tf import build
from mobilenet_tf.training.float_training import suited
from mobilenet_tf.training.recipe import load_recipe


@pytest.mark.parametrize(("name", "rate"), [("v1", 2e-3), ("squeezenet_1_1", 5e-4)])
def test_networks_without_normalization_learn_at_a_lower_rate(name, rate):
    """At 2e-3 SqueezeNet 1.1 stays at guessing on sign_digits, whatever the seed."""
    recipe = load_recipe("small_data")
    found = suited(recipe, build(name, 0.25, 32))
    assert found.train.learning_rate == pytest.approx(rate)
    assert found.qat == recipe.qat
