"""The devices that costs can be measured on, and the table of each."""

from collections.abc import Sequence

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.devices.arm.emulator import Emulator
from mobilenet_tf.deployment.devices.c.counter import Counter
from mobilenet_tf.deployment.devices.c.emulator import BOARDS
from mobilenet_tf.deployment.devices.c.table import CortexMTable, CTable
from mobilenet_tf.deployment.devices.cpu import Cpu
from mobilenet_tf.deployment.devices.ethos_u import NPUS, EthosUTable
from mobilenet_tf.deployment.devices.mcu.table import McuTable
from mobilenet_tf.deployment.devices.parts_table import Meter, PartsTable
from mobilenet_tf.deployment.devices.phone import Phone
from mobilenet_tf.selection.cost import COUNTED, Budget, CostTable, CountedTable

CPU, PHONE, MCU, PLAIN_C = "cpu", "phone", "mcu", "c"
DEVICES = (CPU, PHONE, *CORES, MCU, PLAIN_C, *BOARDS, *NPUS)


def cost_table(device: str, *, threads: int = 1, speed: bool = True) -> CostTable:
    """Return the table of costs on a device.

    Args:
        device: `cpu` (this machine), `phone` (the one that adb lists), one of `CORES` (emulated),
            `mcu` (in TensorFlow Lite Micro), `c` (as plain C), one of `BOARDS` (plain C on an
            emulated Cortex-M) or one of `NPUS`.
        threads: Number of CPU threads, on this machine or on the phone.
        speed: Whether latency or instructions are needed; without them, nothing is run.

    Raises:
        UserError: An unknown device, or one that is not connected or whose tool is not installed.
    """
    check_device(device)
    if device == MCU:
        return McuTable(device)
    if device == PLAIN_C:
        return CTable(device)
    if device in BOARDS:
        return CortexMTable(Counter(device) if speed else None, device)
    if device in NPUS:
        return EthosUTable(device)
    return PartsTable(_meter(device, threads) if speed else None, device)


def _meter(device: str, threads: int) -> Meter:
    """Return what measures on a CPU."""
    if device in CORES:
        return Emulator(CORES[device])
    return Phone(threads) if device == PHONE else Cpu(threads)


def budget_table(budget: Budget, device: str) -> CostTable:
    """Return the cheapest table that knows what a budget limits.

    Multiply-adds are counted without a device, and nothing runs on a CPU unless latency or
    instructions are limited.

    Raises:
        UserError: See `cost_table`.
    """
    check_device(device)
    if set(budget.limits) <= {"macs"}:
        return CountedTable()
    return cost_table(device, speed=not set(budget.limits) <= COUNTED)


def check_device(device: str, accepted: Sequence[str] = DEVICES) -> None:
    """Reject a name that is not a device.

    Raises:
        UserError: The name is not in `accepted`.
    """
    if device not in accepted:
        raise UserError(f"device is {device!r}; it must be one of {', '.join(accepted)}.")
