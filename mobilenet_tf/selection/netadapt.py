"""NetAdapt (Yang et al., 2018; as used for V3, 4.2): narrow a trained network step by step.

Each step proposes narrower networks that save a share of the measured cost, trains each briefly,
and continues with the best. Training never starts over: each network inherits the weights of the
one before it.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from mobilenet_tf.core.errors import Diverged
from mobilenet_tf.core.settings import number
from mobilenet_tf.networks.channel_weights import Weights
from mobilenet_tf.networks.channels import Cut
from mobilenet_tf.networks.lower import labelled
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Cost, Progress
from mobilenet_tf.selection.netadapt_proposals import Proposer

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.training.short import Judged

Bars = Callable[[], AbstractContextManager[Progress]]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A network and how well it does on the images that are set aside.

    Attributes:
        change: What was changed in this step; empty for the network before it.
        cost: Its cost.
        accuracy: Share of the images that it classifies correctly.
        loss: Its cross-entropy; None if it is not finite.
    """

    change: str
    cost: Cost
    accuracy: float = number(least=0, most=1)
    loss: float | None = number(None, least=0)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of NetAdapt.

    Attributes:
        before: The network before it, after the brief training of the step before; at the first
            step, the trained network.
        tried: All proposals after their brief training.
        chosen: Index of the best of them.
        seconds: Duration.
    """

    before: Tried
    tried: tuple[Tried, ...]
    chosen: int = number(least=0)
    seconds: float = number(0.0, least=0)

    @property
    def best(self) -> Tried:
        """The proposal that was chosen."""
        return self.tried[self.chosen]


@dataclass(frozen=True)
class State:
    """How far a network has been adapted.

    Attributes:
        network: The network now.
        weights: Its weights.
        labels: For each row, its label in the network that was adapted, such as `block_5`.
        steps: The steps so far.
    """

    network: Network
    weights: Weights
    labels: tuple[str, ...]
    steps: tuple[Step, ...] = ()


class Trainer(Protocol):
    """Trains and judges the proposals of one step after the other."""

    def begin(self, network: Network, weights: Weights, step: int) -> "Judged":
        """Begin a step with a network, and judge it as it is."""

    def judge(self, cut: Cut) -> "tuple[Judged, Weights]":
        """Train a cut of the step's network briefly; return also the smaller network's weights."""


def adapt(
    state: State,
    proposer: Proposer,
    trainer: Trainer,
    save: Callable[[State], None],
    bars: Bars,
) -> State:
    """Narrow a network until it is within the budget.

    Args:
        state: The network with its weights, or how far it has been adapted already.
        proposer: Settings, budget and costs.
        trainer: Trains proposals.
        save: Called with the state after each step.
        bars: Makes the progress bars of a step.

    Raises:
        UserError: No narrower network costs less, or all trainings of a step diverged.
    """
    proposer.table.measure([state.network])
    while proposer.excess(state.network) > 1:
        state = _next(state, proposer, trainer, bars)
        save(state)
    return state


def _next(state: State, proposer: Proposer, trainer: Trainer, bars: Bars) -> State:
    """Return the state after one more step."""
    started, settings, done = time.monotonic(), proposer.settings, len(state.steps)
    left = sum(settings.decay**step for step in range(max(1, settings.steps - done)))
    share = (proposer.excess(state.network) - 1) / left
    with bars() as progress:
        proposals = proposer.proposals(state.network, share, progress)
        judged = trainer.begin(state.network, state.weights, done)
        before = _tried("", proposer.cost(state.network), judged)
        tried: list[Tried] = []
        best: tuple[tuple[float, ...], int, Weights] | None = None
        for place, proposal in enumerate(proposals):
            judged, weights = trainer.judge(proposal.cut(state.network, state.weights))
            cost = proposer.cost(proposal.network)
            tried.append(_tried(proposal.change, cost, judged))
            rank = _rank(settings.criterion, before, tried[-1], proposer)
            if isfinite(judged.loss) and (best is None or rank < best[0]):
                best = rank, place, weights
            progress(f"Step {done + 1}", place + 1, len(proposals))
    if best is None:
        raise Diverged(
            "All trainings of a step diverged: the loss is NaN or infinite. Use a lower "
            "--learning-rate."
        )
    _, chosen, weights = best
    seconds = round(time.monotonic() - started, 1)
    step = Step(before=before, tried=tuple(tried), chosen=chosen, seconds=seconds)
    network, block = proposals[chosen].network, proposals[chosen].block
    now = [label for label, _ in labelled(state.network)]
    pairs = zip(now, state.labels, strict=True)
    labels = tuple(origin for label, origin in pairs if label != block)
    return State(network, weights, labels, (*state.steps, step))


def start(network: Network, weights: Weights) -> State:
    """Return the state before the first step."""
    return State(network, weights, tuple(label for label, _ in labelled(network)))


def _tried(change: str, cost: Cost, judged: "Judged") -> Tried:
    loss = judged.loss if isfinite(judged.loss) else None
    return Tried(change=change, cost=cost, accuracy=judged.accuracy, loss=loss)


def _rank(criterion: str, before: Tried, after: Tried, proposer: Proposer) -> tuple[float, ...]:
    """Return a sort key that is smallest for the best proposal.

    The loss decides between equal accuracies, and the cost saved between equal losses.
    """
    lost = before.accuracy - after.accuracy, (after.loss or 0) - (before.loss or 0)
    saved = proposer.budget.excess(before.cost) - proposer.budget.excess(after.cost)
    if criterion == "ratio":
        lost = lost[0] / saved, lost[1] / saved
    return *lost, -saved
