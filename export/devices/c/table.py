"""What networks cost as plain C: bytes of constants and code, and the arena."""

from mobilenet_tf.deployment.devices.c.folder import CForm
from mobilenet_tf.deployment.devices.network_table import NetworkTable
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Cost


class CTable(NetworkTable):
    """Costs with the portable kernels. Latency depends on the board and is unknown here."""

    tool = "tflite-micro"  # which computes tables of hard-swish

    def measure_network(self, network: Network) -> Cost:
        """Return the bytes of constants and code, and the planned arena."""
        form = CForm(int8_file(network))
        return Cost(None, form.flash, form.ram, count(network).macs)
