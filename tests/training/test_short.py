"""Brief trainings of cut networks."""

import numpy as np

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Classifier, Convolution, Network, Pooling


def test_statistics_of_the_network_before_the_cut_are_forgotten(pictures):
    from mobilenet_tf.datasets.dataset import Split
    from mobilenet_tf.networks.channels import cut
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.tasks.classification.task import Classification
    from mobilenet_tf.training.recipe import load_recipe
    from mobilenet_tf.training.short import ShortTraining

    network = Network(
        InputSpec(48), (Convolution("stem", 3, 8, "relu6", 2),), (Pooling(), Classifier(2))
    )
    split = Split(pictures, np.arange(len(pictures)) % 2, [""] * len(pictures))
    trainer = ShortTraining(
        Classification(),
        load_recipe("small_data"),
        batches=3,
        learning_rate=1e-6,
        learned=split,
        aside=split,
        seed=0,
    )
    model = build_network(network)
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    (norm,) = (name for name in weights if name.endswith("norm"))
    gamma, beta, mean, variance = weights[norm]
    trainer.begin(network, weights | {norm: [gamma, beta, mean + 100, variance]}, 0)
    _, trained = trainer.judge(cut(network, network, lambda op: np.ones(op.shape[2])))
    # Convolutions of pictures between -1 and 1 have means of a few units at most.
    assert np.abs(trained[norm][2]).max() < 15
