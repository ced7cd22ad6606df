import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import begin
from mobilenet_tf.training.recipe import load_recipe


def test_frozen_random_weights_are_refused(tmp_path):
    with pytest.raises(UserError, match="begins with frozen layers, but weights is none"):
        begin(tmp_path / "run", "digits", make_network("v1"), load_recipe("transfer"))
