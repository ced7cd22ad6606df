"""What networks cost as plain C: bytes of constants and code, the arena, and instructions."""

from collections.abc import Iterable
from pathlib import Path

from mobilenet_tf.deployment.devices.c.counter import Counter
from mobilenet_tf.deployment.devices.c.folder import CForm
from mobilenet_tf.deployment.devices.network_table import NetworkTable
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Cost, Progress


class CTable(NetworkTable):
    """Costs with the portable kernels. Latency depends on the board and is unknown here."""

    tool = "tflite-micro"  # which computes tables of hard-swish

    def measure_network(self, network: Network) -> Cost:
        """Return the bytes of constants and code, and the planned arena."""
        form = CForm(int8_file(network))
        return Cost(None, form.flash, form.ram, count(network).macs)


class CortexMTable(PartsTable):
    """Costs on an emulated Cortex-M, with the portable kernels.

    Args:
        meter: Counts instructions; None leaves them unknown.
        device: One of `emulator.BOARDS`.
        path: The cache file; see `MeasurementCache`.

    Raises:
        UserError: TensorFlow Lite Micro's interpreter is not installed.
    """

    fuse_hard_swish = True  # a table in C

    def __init__(self, meter: Counter | None, device: str, path: Path | None = None):
        super().__init__(meter, device, path)
        self._c = CTable(device, path)

    def measure(self, networks: Iterable[Network], progress: Progress | None = None) -> int:
        """Measure sizes and parts that are not in the cache; return their number."""
        networks = list(networks)
        return self._c.measure(networks, progress) + super().measure(networks, progress)

    def sizes(self, network: Network) -> tuple[int, int]:
        """Return flash and RAM as C; see `CTable`."""
        cost = self._c.cost(network)
        return cost.flash, cost.ram
