"""What networks cost on a CPU, from times of their parts, which are measured once and cached.

The latency of a network is the sum of its parts. Each file adds the time of a call, which is
measured on a file that does almost nothing and subtracted from the parts.
"""

from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from mobilenet_tf import __version__
from mobilenet_tf.deployment.devices.cache import MeasurementCache
from mobilenet_tf.deployment.tflite.from_graph import graph_file, phone_file_size
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Cost, CountedTable, Progress

# The mean of four pixels, to measure the time of a call.
CALL = Graph((Op("input", "image", (), (2, 2, 8)), Op("mean", "mean", ("image",), (1, 1, 8))))


def _is_time(value: Any) -> bool:
    """Return whether a value of the cache can be a number of milliseconds."""
    return type(value) in (int, float) and isfinite(value) and value >= 0


class Timer(Protocol):
    """A device that runs int8 files on XNNPACK and measures the time.

    Attributes:
        name: Everything that its times depend on: processor, runtime, threads.
        lasting: Whether the name tells the device from all others, so that its times can be kept.
    """

    name: str
    lasting: bool

    def times(self, files: dict[str, bytes]) -> dict[str, float]:
        """Return the milliseconds of each file."""


class PartsTable:
    """Costs of networks as phones run them, in int8 on XNNPACK: a `CostTable`.

    Args:
        timer: Measures the parts; None leaves latency unknown, and nothing is measured.
        device: Short name of the device.
        path: The cache file; see `MeasurementCache`.
    """

    def __init__(self, timer: Timer | None, device: str = "cpu", path: Path | None = None):
        self.timer, self.device, self.knows_latency = timer, device, timer is not None
        self.measured_on = timer.name if timer else f"{device}, file only"
        # Another version of this package writes other files.
        about = f"{self.measured_on}, mobilenet_tf {__version__}"
        lasting = timer is None or timer.lasting
        self.cache = MeasurementCache(about if lasting else None, path, _is_time)

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure the parts that are not in the cache; return their number."""
        if self.timer is None:
            return 0
        groups: list[dict[str, Graph]] = []
        seen = set(self.cache.values)
        for chain in ([CALL], *(lower(network).parts() for network in networks)):
            group = {part.key: part for part in chain if part.key not in seen}
            seen |= set(group)
            groups += [group] if group else []
        times = (
            self.timer.times({key: graph_file(part, False) for key, part in group.items()})
            for group in groups
        )
        self.cache.add(times, len(groups), "Measuring latency", progress)
        return sum(map(len, groups))

    def milliseconds(self, network: Network) -> float:
        """Return the latency of a network whose parts have been measured."""
        times = self.cache.values
        call = times[CALL.key]
        return call + sum(max(0.0, times[part.key] - call) for part in lower(network).parts())

    def cost(self, network: Network) -> Cost:
        """Return the cost; flash is the size of the phone's file, RAM that of its activations."""
        flash, ram = phone_file_size(network)
        latency = None if self.timer is None else self.milliseconds(network)
        return Cost(latency, flash, ram, count(network).macs)

    def lower_bound(self, network: Network) -> Cost:
        """Return bytes of weights and activations, by counting."""
        return CountedTable().lower_bound(network)
