"""What networks cost on a CPU, from measurements of their parts, which are made once and cached.

The latency of a network, or its number of instructions, is the sum of its parts. Every part also
contains the overhead of a call, which is measured on a file that does almost nothing, subtracted
from each part, and added once.

Parts are measured at different times, between which a processor's clock and load change. The same
file is therefore timed with each of them, and their times are scaled to what it took at first.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from mobilenet_tf import __version__
from mobilenet_tf.deployment.devices.cache import MeasurementCache, is_quantity
from mobilenet_tf.deployment.tflite.from_graph import graph_file, phone_file_size
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import COUNTED, Cost, CountedTable, Progress

# The mean of four pixels, to measure the overhead of a call.
CALL = Graph((Op("input", "image", (), (2, 2, 8)), Op("mean", "mean", ("image",), (1, 1, 8))))
_PACE = "pace"  # the key of `_pace_file` in the cache


@cache
def _pace_file() -> bytes:
    """Return the file that is timed with all parts: a depthwise and a 1x1 convolution of V1."""
    return graph_file(lower(make_network("v1", 0.5, 96)).parts()[5])


class Meter(Protocol):
    """A device that runs int8 files and measures one of their costs.

    Attributes:
        name: Everything that its measurements depend on: processor, runtime, threads.
        lasting: Whether `name` identifies the device, so that measurements can be cached on disk.
        quantity: What it measures: `latency` or `instructions`.
    """

    name: str
    lasting: bool
    quantity: str

    def measure(self, files: dict[str, bytes]) -> dict[str, float]:
        """Return the milliseconds, or the instructions, of one run of each file."""

    def lower_bound(self, macs: int) -> float | None:
        """Return a lower bound for networks with so many multiply-adds; None if unknown."""


class PartsTable:
    """Costs of networks as phones run them, in int8 on XNNPACK: a `CostTable`.

    Args:
        meter: Measures the parts; with None, latency and instructions are unknown.
        device: Short name of the device.
        path: The cache file; see `MeasurementCache`.
    """

    fuse_hard_swish = False  # hard-swish as phones run it

    def __init__(self, meter: Meter | None, device: str = "cpu", path: Path | None = None):
        self.meter, self.device = meter, device
        self.known = COUNTED | ({meter.quantity} if meter else set())
        self.measured_on = meter.name if meter else f"{device}, file only"
        # Another version of this package writes other files.
        about = f"{self.measured_on}, mobilenet_tf {__version__}"
        lasting = meter is None or meter.lasting
        self.cache = MeasurementCache(about if lasting else None, path, is_quantity)

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure the parts that are not in the cache; return their number."""
        meter = self.meter
        if meter is None:
            return 0
        if meter.quantity == "latency" and _PACE not in self.cache.values:
            self.cache.values.clear()  # nothing that is measured now could be compared with them
        groups: list[dict[str, Graph]] = []
        seen = set(self.cache.values)
        for chain in ([CALL], *(lower(network).parts() for network in networks)):
            group = {part.key: part for part in chain if part.key not in seen}
            seen |= set(group)
            groups += [group] if group else []
        found = (self._measured(meter, group) for group in groups)
        self.cache.add(found, len(groups), f"Measuring {meter.quantity}", progress)
        return sum(map(len, groups))

    def _measured(self, meter: Meter, group: dict[str, Graph]) -> dict[str, float]:
        files = {key: graph_file(part, self.fuse_hard_swish) for key, part in group.items()}
        if meter.quantity != "latency":
            return meter.measure(files)
        found = meter.measure({_PACE: _pace_file()} | files)
        first = self.cache.values.get(_PACE, found[_PACE])
        return {key: value * first / found[_PACE] for key, value in found.items()}

    def total(self, network: Network) -> float:
        """Return the milliseconds, or instructions, of a network whose parts have been measured."""
        values = self.cache.values
        call = values[CALL.key]
        return call + sum(max(0, values[part.key] - call) for part in lower(network).parts())

    def cost(self, network: Network) -> Cost:
        """Return the cost; see `sizes`."""
        cost = Cost(None, *self.sizes(network), count(network).macs)
        return self._with(cost, self.total(network)) if self.meter else cost

    def sizes(self, network: Network) -> tuple[int, int]:
        """Return flash, the size of the phone's file, and RAM, that of its activations."""
        return phone_file_size(network)

    def lower_bound(self, network: Network) -> Cost:
        """Return bytes of weights and activations by counting, and the meter's lower bound."""
        bound = CountedTable().lower_bound(network)
        return self._with(bound, self.meter.lower_bound(bound.macs)) if self.meter else bound

    def _with(self, cost: Cost, value: float | None) -> Cost:
        """Return the cost with this value of the meter's quantity."""
        known: dict[str, Any] = {self.meter.quantity: value} if self.meter else {}
        return replace(cost, **known)
