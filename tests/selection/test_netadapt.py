"""NetAdapt: what it proposes, what it chooses, and that it goes on where it was interrupted."""

from collections import namedtuple
from contextlib import contextmanager

import numpy as np
import pytest

from mobilenet_tf.core.errors import Diverged, UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.channel_weights import cut_weights, weight_shapes
from mobilenet_tf.networks.channels import widths
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import (
    Classifier,
    Convolution,
    InvertedResidual,
    Network,
    Pooling,
)
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import Budget, Cost, CountedTable
from mobilenet_tf.selection.netadapt import State, adapt, start
from mobilenet_tf.selection.netadapt_proposals import Proposer
from mobilenet_tf.selection.netadapt_settings import AdaptSettings
from mobilenet_tf.selection.netadapt_state import load_state, save_state

Judged = namedtuple("Judged", "accuracy loss")


class Fake:
    """Judges networks by a function, and trains nothing."""

    def __init__(self, accuracy):
        self.accuracy, self.seen = accuracy, []

    def begin(self, network, weights, step):
        self.weights = weights
        return Judged(self.accuracy(network), 1.0)

    def judge(self, cut):
        self.seen.append(cut.network)
        return Judged(self.accuracy(cut.network), 1.0), cut_weights(cut, self.weights)


@contextmanager
def no_bars():
    yield lambda activity, done, total: None


def random_weights(network: Network) -> dict:
    random = np.random.default_rng(0)
    return {
        layer: [random.uniform(0.5, 1.5, shape).astype(np.float32) for shape in shapes]
        for layer, shapes in weight_shapes(network).items()
    }


def adapted(network: Network, settings: AdaptSettings, trainer, saved=None) -> State:
    table = CountedTable()
    proposer = Proposer(settings, settings.limits(table.cost(network)), table)
    state = start(network, random_weights(network))
    return adapt(state, proposer, trainer, ([] if saved is None else saved).append, no_bars)


def test_a_costly_useless_layer_goes_first(pictures):
    """Judged by a real network: its own predictions on real pictures are the ground truth."""
    import tf_keras as keras

    from mobilenet_tf.datasets.dataset import Split
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.tasks.classification.task import Classification
    from mobilenet_tf.training.recipe import load_recipe
    from mobilenet_tf.training.short import ShortTraining
    from tests.conftest import enliven

    blocks = (
        Convolution("stem", 3, 16, "relu6", 2),
        InvertedResidual(3, 48, 16, False, "relu6", 1),
        InvertedResidual(3, 128, 16, False, "relu6", 1),
        InvertedResidual(3, 48, 24, False, "relu6", 2),
    )
    network = Network(InputSpec(48), blocks, (Pooling(), Classifier(5)))
    images = network.input.normalise(pictures)
    keras.utils.set_random_seed(0)
    model = build_network(network)
    enliven(model, images)
    model.get_layer("block_2/project/norm").gamma.assign(np.zeros(16))
    model.get_layer("block_2/project/norm").beta.assign(np.zeros(16))
    labels = np.argmax(model(images), axis=1)
    split = Split(pictures, labels, [""] * len(labels))
    trainer = ShortTraining(
        Classification(),
        load_recipe("small_data"),
        batches=0,
        learning_rate=1e-3,
        learned=split,
        aside=split,
        seed=0,
    )
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    for depth, change in ((True, "without block_2"), (False, "block_2 expansion")):
        budget = Budget(macs=int(0.8 * count(network).macs))
        settings = AdaptSettings(budget=budget, steps=1, depth=depth, divisor=4)
        proposer = Proposer(settings, budget, CountedTable())
        state = adapt(start(network, weights), proposer, trainer, lambda state: None, no_bars)
        (step,) = state.steps
        assert step.before.accuracy == 1
        assert len(step.tried) > 2
        assert step.best.change.startswith(change)
        assert step.best.accuracy == 1
        assert min(one.accuracy for one in step.tried) < 1
        assert not budget.exceeded(step.best.cost)
        final = build_network(state.network)
        for name, arrays in state.weights.items():
            final.get_layer(name).set_weights(arrays)
        assert (np.argmax(final(images), axis=1) == labels).all()


def test_proposals_are_the_widest_that_save_the_share():
    network, share = make_network("v2", 0.5, 64, 5), 0.02
    budget = Budget(macs=count(network).macs // 2)
    proposer = Proposer(AdaptSettings(budget=budget), budget, CountedTable())
    now = proposer.excess(network)
    found = proposer.proposals(network, share)
    assert len(found) > 10
    for one in found:
        assert proposer.excess(one.network) <= now - share
        before = {width.name: width.channels for width in widths(network)}
        (changed,) = [w for w in widths(one.network) if w.channels != before[w.name]]
        assert changed.channels % 8 == 0
        wider = proposer._narrower(
            network, next(w for w in widths(network) if w.name == changed.name)
        )
        above = [other for other in wider if count(other.network).macs > count(one.network).macs]
        assert all(proposer.excess(other.network) > now - share for other in above)


def test_a_budget_of_ram_narrows_only_where_the_peak_is():
    """The peak of the whole network decides, not a sum."""
    network = make_network("v2", 0.5, 96, 5)
    limit = int(0.6 * count(network).peak_activation_bytes)
    settings = AdaptSettings(budget=Budget(ram=limit), steps=4)
    state = adapted(network, settings, Fake(lambda network: 0.5))
    assert count(state.network).peak_activation_bytes <= limit
    costs = [step.best.cost.ram for step in state.steps]
    assert costs == sorted(costs, reverse=True)
    late = [row.expansion for row in network.backbone[8:-1]]
    assert [row.expansion for row in state.network.backbone[8:-1]] == late


def test_where_several_places_need_the_same_they_are_narrowed_together():
    rows = tuple(Convolution(f"c{index}", 3, 32, "relu") for index in range(6))
    network = Network(InputSpec(32), rows, (Pooling(), Classifier(3)))
    ram = count(network).peak_activation_bytes
    settings = AdaptSettings(budget=Budget(ram=ram - 1), steps=1)
    state = adapted(network, settings, Fake(lambda network: 0.5))
    (step,) = state.steps
    # Each pair of neighbours needs the most, so that every other width is enough.
    changes = {one.change for one in step.tried}
    assert changes == {
        "c1 out 32 to 24, c3 out 32 to 24, c5 out 32 to 24",
        "c0 out 32 to 24, c2 out 32 to 24, c4 out 32 to 24",
    }
    assert step.best.cost.ram < ram


@pytest.mark.parametrize(("criterion", "wanted"), [("ratio", "c1 out"), ("accuracy", "c0 out")])
def test_criterion(criterion, wanted):
    """c1 costs more and loses a little more: less per multiply-add."""
    rows = (Convolution("c0", 3, 8, "relu"), Convolution("c1", 3, 64, "relu"))
    network = Network(InputSpec(16), rows, (Pooling(), Classifier(3)))

    def accuracy(network: Network) -> float:
        c0, c1 = (row.out for row in network.backbone)
        return 0.9 - 0.01 * (c0 < 8) - 0.011 * (c1 < 64)

    macs = count(network).macs
    settings = AdaptSettings(
        budget=Budget(macs=int(0.95 * macs)), steps=1, divisor=4, criterion=criterion
    )
    table = CountedTable()

    class Coarse(Proposer):
        """c1 loses half of its channels at once."""

        def proposals(self, network, share, progress=None):
            found = super().proposals(network, share, progress)
            narrow = self._narrower(network, widths(network)[1])
            return [found[0], next(one for one in narrow if one.network.backbone[1].out == 8)]

    proposer = Coarse(settings, settings.limits(table.cost(network)), table)
    state = start(network, random_weights(network))
    state = adapt(state, proposer, Fake(accuracy), lambda state: None, no_bars)
    assert state.steps[0].best.change.startswith(wanted)


def test_a_budget_out_of_reach():
    network = make_network("v1", 0.25, 32, 5)
    settings = AdaptSettings(budget=Budget(macs=1000), steps=2)
    with pytest.raises(UserError, match=r"The budget cannot be reached: .* of 1,000 multiply-adds"):
        adapted(network, settings, Fake(lambda network: 0.5))


def test_trainings_that_all_diverge():
    network = make_network("v1", 0.25, 32, 5)

    class Diverging(Fake):
        def judge(self, cut):
            return Judged(0.1, float("nan")), {}

    settings = AdaptSettings(budget=Budget(macs=count(network).macs // 2), steps=2)
    with pytest.raises(Diverged, match="--learning-rate"):
        adapted(network, settings, Diverging(lambda network: 0.5))


def test_a_state_goes_on_where_it_was(tmp_path):
    network = make_network("v2", 0.35, 48, 5)
    settings = AdaptSettings(
        budget=Budget(macs=int(0.7 * count(network).macs)), steps=3, depth=True
    )
    saved: list[State] = []
    whole = adapted(network, settings, Fake(lambda network: 0.5), saved)
    assert len(saved) == len(whole.steps) >= 2
    file = tmp_path / "adaptation.npz"
    save_state(file, saved[0])
    again = load_state(file, network)
    assert (again.network, again.labels, again.steps) == (
        saved[0].network, saved[0].labels, saved[0].steps,
    )  # fmt: skip
    proposer = Proposer(settings, settings.limits(CountedTable().cost(network)), CountedTable())
    end = adapt(again, proposer, Fake(lambda network: 0.5), lambda state: None, no_bars)
    assert end.network == whole.network
    for layer, arrays in whole.weights.items():
        for one, other in zip(arrays, end.weights[layer], strict=True):
            np.testing.assert_array_equal(one, other)


def test_damaged_states_are_refused(tmp_path):
    network = make_network("v1", 0.25, 48, 5)
    file = tmp_path / "adaptation.npz"
    state = start(network, random_weights(network))
    save_state(file, state)
    content = file.read_bytes()
    for damaged in (b"", content[:-200], b"PK" + content[50:]):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged"):
            load_state(file, network)
    other = make_network("v1", 0.25, 48, 6)
    save_state(file, start(other, random_weights(other)))
    with pytest.raises(UserError, match="damaged"):
        load_state(file, network)
    layer = next(iter(state.weights))
    save_state(file, start(network, state.weights | {layer: [np.zeros((1, 1))]}))
    with pytest.raises(UserError, match="damaged"):
        load_state(file, network)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "adapt needs a budget"),
        ({"to": 0.5, "budget": Budget(latency=1.0)}, "both limit the latency"),
        ({"to": 1.5}, "to is 1.5; it must be greater than 0 and less than 1"),
        ({"to": 0.5, "criterion": "best"}, "criterion is 'best'"),
    ],
)
def test_settings_that_are_not_accepted(values, said):
    with pytest.raises(UserError, match=said):
        AdaptSettings(**values)


def test_a_share_needs_a_latency():
    settings = AdaptSettings(to=0.5)
    assert settings.limits(Cost(4.0, 1, 1, 1)).latency == 2
    with pytest.raises(UserError, match="--to is a share of the latency"):
        settings.limits(Cost(None, 1, 1, 1))
