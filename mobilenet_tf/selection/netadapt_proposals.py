"""The proposals of a step of NetAdapt: networks that cost less, each narrower in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.channel_weights import Weights, channel_norms
from mobilenet_tf.networks.channels import (
    Cut,
    Width,
    cut,
    narrowed,
    removable,
    widths,
    without,
)
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Budget, Cost, CostTable, Progress
from mobilenet_tf.selection.netadapt_settings import AdaptSettings

_SMALLEST = 1 / 64  # of a step's share; below it, nothing in one place saves anything worth a step


@dataclass(frozen=True)
class Proposal:
    """A smaller network.

    Attributes:
        change: What was changed, such as `block_3 expansion 144 to 120` or `without block_5`.
        network: The network.
        block: The block that was left out; None if channels were.
    """

    change: str
    network: Network
    block: str | None = None

    def cut(self, source: Network, weights: Weights) -> Cut:
        """Return the cut that turns the network it was proposed for into this one."""
        if self.block is not None:
            return without(source, self.block)
        return cut(source, self.network, channel_norms(source, weights))


class Proposer:
    """Finds proposals; costs fall with the width, so that bisection finds the widest ones.

    Args:
        settings: Settings of NetAdapt.
        budget: The budget.
        table: Costs on the device.
    """

    def __init__(self, settings: AdaptSettings, budget: Budget, table: CostTable):
        self.settings, self.budget, self.table = settings, budget, table

    def excess(self, network: Network) -> float:
        """Return what a measured network costs, as a ratio to the limit that it exceeds most."""
        return self.budget.excess(self.cost(network))

    def cost(self, network: Network) -> Cost:
        """Return the cost of a measured network."""
        return self.table.cost(network)

    def proposals(
        self, network: Network, share: float, progress: Progress | None = None
    ) -> list[Proposal]:
        """Return the proposals that save a share of the limit; a smaller share if there are none.

        RAM is what the network needs at its peak. Where several operations come close to the
        peak, narrowing one width saves little, and several are narrowed together.

        Raises:
            UserError: No narrower network costs less.
        """
        blocks = removable(network) if self.settings.depth else ()
        ladders = [
            *(self._narrower(network, width) for width in widths(network)),
            *([self._without(network, block)] for block in blocks),
        ]
        self.table.measure([network], progress)
        now, exceeded = self.excess(network), self.budget.exceeded(self.cost(network))
        saved = share
        while saved > share * _SMALLEST:
            found = self._widest(ladders, now - saved, progress)
            if "ram" in exceeded:
                found += self._together(network, now - saved, progress)
            if found:
                return found
            saved /= 2
        raise UserError(
            "The budget cannot be reached: no narrower network costs less than "
            f"{self.budget.compare(self.cost(network), exceeded)}."
        )

    def _widest(
        self, ladders: Sequence[Sequence[Proposal]], most: float, progress: Progress | None
    ) -> list[Proposal]:
        """Return, of each ladder, the first proposal that costs no more than `most`, if any.

        All ladders are searched together, so that a table can measure several networks at once.
        """
        ladders = [ladder for ladder in ladders if ladder]
        self._measure([ladder[-1] for ladder in ladders], progress)
        reach = [ladder for ladder in ladders if self.excess(ladder[-1].network) <= most]
        places = [(0, len(ladder) - 1) for ladder in reach]
        while any(low < high for low, high in places):
            middles = [(low + high) // 2 for low, high in places]
            probes = [ladder[middle] for ladder, middle in zip(reach, middles, strict=True)]
            self._measure(probes, progress)
            places = [
                (low, middle)
                if self.excess(probe.network) <= most
                else (min(middle + 1, high), high)
                for (low, high), middle, probe in zip(places, middles, probes, strict=True)
            ]
        return [ladder[high] for ladder, (_, high) in zip(reach, places, strict=True)]

    def _measure(self, proposals: Sequence[Proposal], progress: Progress | None) -> None:
        self.table.measure([proposal.network for proposal in proposals], progress)

    def _narrower(self, network: Network, width: Width) -> list[Proposal]:
        """Return the proposals that narrow one width, the widest first."""
        found = (_narrowed(network, {width: channels}) for channels in self._steps(width))
        return [proposal for proposal in found if proposal is not None]

    def _together(self, network: Network, most: float, progress: Progress | None) -> list[Proposal]:
        """Return proposals that narrow several widths by one step, and only those that must be.

        All widths are narrowed; then each is restored if the network still costs no more than
        `most`. The order, from the input or from the output, makes a difference.
        """
        changes: dict[Width, int] = {}
        for width in widths(network):
            for channels in self._steps(width):
                if _narrowed(network, changes | {width: channels}):
                    changes[width] = channels
                    break
        if not self._fits(_narrowed(network, changes), most, progress):
            return []
        found = {}
        for order in (list(changes), list(reversed(changes))):
            needed = changes
            for width in order:
                fewer = {one: channels for one, channels in needed.items() if one != width}
                if self._fits(_narrowed(network, fewer), most, progress):
                    needed = fewer
            found[tuple(needed)] = _narrowed(network, needed)
        return [proposal for proposal in found.values() if proposal is not None]

    def _fits(self, proposal: Proposal | None, most: float, progress: Progress | None) -> bool:
        if proposal is None:
            return False
        self._measure([proposal], progress)
        return self.excess(proposal.network) <= most

    def _steps(self, width: Width) -> range:
        """Return the narrower numbers of channels, the largest first."""
        step = self.settings.divisor
        return range((width.channels - 1) // step * step, 0, -step)

    def _without(self, network: Network, block: str) -> Proposal:
        return Proposal(f"without {block}", without(network, block).network, block)


def _narrowed(network: Network, changes: Mapping[Width, int]) -> Proposal | None:
    """Return the proposal with other widths; None if that would change its operations."""
    smaller = narrowed(network, changes.items())
    if smaller is None:
        return None
    texts = (f"{width.name} {width.channels} to {channels}" for width, channels in changes.items())
    return Proposal(", ".join(texts), smaller)
