"""What the networks of a comparison cost: counted, and measured on this CPU and on simulators."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobilenet_tf import __version__
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.packages import BY_NAME
from mobilenet_tf.deployment.devices.cache import MeasurementCache
from mobilenet_tf.deployment.devices.cpu import InChild
from mobilenet_tf.deployment.devices.ethos_u import compile_npu
from mobilenet_tf.deployment.devices.mcu.table import McuTable
from mobilenet_tf.deployment.devices.timing import interleaved, percentiles
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network

NPU = "ethos-u55-128"
_ROUNDS = 50


def network_costs(
    networks: Mapping[str, Network], *, simulate: bool
) -> dict[str, dict[str, int | None]]:
    """Return what networks cost whatever they have learned.

    Args:
        networks: Name -> network.
        simulate: Whether to measure on simulators too; what they measured before is in a cache.

    Returns:
        Name -> parameters, macs, arena_bytes (in TensorFlow Lite Micro) and npu_cycles (Vela's
        estimate for `NPU`). The latter two are None where they are not measured, or where the tool
        is absent or refuses the network.
    """
    found: dict[str, dict[str, int | None]] = {}
    with activity_progress() as progress:
        for done, (name, network) in enumerate(networks.items(), start=1):
            counted = count(network)
            found[name] = {
                "parameters": counted.parameters,
                "macs": counted.macs,
                "arena_bytes": _arena(network) if simulate else None,
                "npu_cycles": _cycles(network) if simulate else None,
            }
            progress("Measuring memory and NPU", done, len(networks))
    return found


def _arena(network: Network) -> int | None:
    try:
        table = McuTable("mcu")
        table.measure([network])
    except UserError:
        return None
    return table.cost(network).ram


def _cycles(network: Network) -> int | None:
    try:
        tool = f"ethos-u-vela {BY_NAME['ethos-u-vela'].version}, mobilenet_tf {__version__}"
        cache = MeasurementCache(f"cycles of {NPU}, {tool}", accepts=lambda held: type(held) is int)
        key = lower(network).key
        if key not in cache.values:
            cache.values[key] = compile_npu(int8_file(network), NPU)[1]["cycles"]
            cache.save()
    except UserError:
        return None
    cycles: int = cache.values[key]
    return cycles


def file_costs(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Return what int8 files cost; they are timed in turns on one thread of this CPU.

    Args:
        files: Name -> file.

    Returns:
        Name -> file_bytes, latency_ms (the median), latency_p10_ms and latency_p90_ms.
    """
    contents = {name: path.read_bytes() for name, path in files.items()}
    runs = {name: InChild(content, name) for name, content in contents.items()}
    with activity_progress() as progress:
        times = interleaved(
            runs, _ROUNDS, lambda done, total: progress("Measuring latency", done, total)
        )
    found = {}
    for name, content in contents.items():
        spread = percentiles(times[name])
        found[name] = {
            "file_bytes": len(content),
            "latency_ms": spread["median_ms"],
            "latency_p10_ms": spread["p10_ms"],
            "latency_p90_ms": spread["p90_ms"],
        }
    return found
