"""Base of the tables that measure each network as a whole."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.core.packages import BY_NAME, require
from mobilenet_tf.deployment.devices.cache import MeasurementCache, is_quantity
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import COUNTED, Cost, CountedTable, Progress


def _is_cost(value: Any) -> bool:
    """Return whether a value of the cache can be what `Cost.to_dict` returned."""
    if not isinstance(value, dict) or value.keys() != {one.name for one in fields(Cost)}:
        return False
    return all(
        is_quantity(held) or (held is None and name not in COUNTED) for name, held in value.items()
    )


class NetworkTable(ABC):
    """A `CostTable` whose costs come from a tool, one network at a time; subclasses measure.

    Args:
        device: Short name of the device.
        path: The cache file; see `MeasurementCache`.

    Raises:
        UserError: The tool is not installed.
    """

    tool = ""  # the Python package that measures
    workers: int | None = 1  # number of threads that measure
    known = COUNTED

    def __init__(self, device: str, path: Path | None = None):
        self.device = device
        # The measured files are written by this package, so its version matters too.
        require(f"The device {device}", self.tool)
        tool = f"{self.tool} {BY_NAME[self.tool].version}"
        self.measured_on = f"{device}, {tool}, mobilenet_tf {__version__}"
        self.cache = MeasurementCache(self.measured_on, path, _is_cost)

    @abstractmethod
    def measure_network(self, network: Network) -> Cost:
        """Measure the cost of a network, without the cache."""

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure the networks that are not in the cache; return their number."""
        keys = {lower(network).key: network for network in networks}
        new = {key: network for key, network in keys.items() if key not in self.cache.values}

        def measured(key: str) -> dict[str, Any]:
            return {key: self.measure_network(new[key]).to_dict()}

        with ThreadPoolExecutor(self.workers) as pool:
            results = pool.map(measured, new)
            self.cache.add(results, len(new), f"Measuring for {self.device}", progress)
        return len(new)

    def cost(self, network: Network) -> Cost:
        """Return the cost of a network that has been measured."""
        return Cost(**self.cache.values[lower(network).key])

    def lower_bound(self, network: Network) -> Cost:
        """Return bytes of weights and activations, by counting."""
        return CountedTable().lower_bound(network)
