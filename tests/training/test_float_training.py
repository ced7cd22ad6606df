from types import SimpleNamespace

import numpy as np
import pytest

from mobilenet_tf import build, make_network
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.tasks.segmentation.task import Segmentation
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.float_training import suited, train_float
from mobilenet_tf.training.recipe import load_recipe


@pytest.mark.parametrize(("name", "rate"), [("v1", 2e-3), ("squeezenet_1_1", 5e-4)])
def test_networks_without_normalization_learn_at_a_lower_rate(name, rate):
    """At 2e-3 SqueezeNet 1.1 stays at guessing on sign_digits, whatever the seed."""
    recipe = load_recipe("small_data")
    found = suited(recipe, build(name, 0.25, 32))
    assert found.train.learning_rate == pytest.approx(rate)
    assert found.qat == recipe.qat


@pytest.mark.parametrize("weighted", [False, True])
def test_masks_of_hardly_more_than_background_are_warned_of(weighted, tmp_path, caplog):
    masks = np.zeros((2, 32, 32), np.uint8)
    masks[:, 0] = 1
    images = np.zeros((2, 32, 32, 3), np.uint8)
    task = Segmentation()
    session = Session(
        dataset=SimpleNamespace(
            train=Split(images, masks, ["a.png", "b.png"]), classes=("background", "cat")
        ),
        task=task,
        network=task.with_head(make_network("v1", 0.25, 32), 2),
        batch=2,
        seed=0,
        checkpoints=tmp_path,
        logs=tmp_path,
    )
    recipe = load_recipe("segmentation").with_fields({"train.class_weights": weighted})
    train_float(build("v1", 0.25, 32), recipe, session, until=0)
    assert ("background is 97% of the pixels" in caplog.text) != weighted
