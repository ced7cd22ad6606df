"""What networks cost on a microcontroller: size of the file, and its arena by execution."""

from mobilenet_tf.deployment.devices.mcu.interpreter import record_arena
from mobilenet_tf.deployment.devices.network_table import NetworkTable
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.shrink import shrink
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.cost import Cost


class McuTable(NetworkTable):
    """Costs in TensorFlow Lite Micro. Latency depends on the board and is unknown here."""

    tool = "tflite-micro"  # runs in this process, so one network at a time

    def measure_network(self, network: Network) -> Cost:
        """Return the size of the reduced file and the arena that the interpreter records."""
        small = shrink(int8_file(network))
        return Cost(None, len(small), record_arena(small).needed, count(network).macs)
