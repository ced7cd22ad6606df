"""Which network, alpha and size fit a budget: expected accuracy against measured cost.

Accuracy is that of the published ImageNet table (`networks.published.accuracy`); latency is the sum
of of parts measured on this machine, or Vela's cycles; size and memory are those of a file
written from the network's rows. Nothing is trained, unless trials are asked for.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import run_command
from mobilenet_tf.deployment.devices.cache import Progress
from mobilenet_tf.deployment.devices.cpu import LatencyTable, ThisMachine
from mobilenet_tf.deployment.devices.targets import CPU, MCU, DeviceTable, at_least, check_target
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.published.accuracy import expected_top1
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.selection.candidates import candidates

# Limit -> the attribute of an `Option` that is held against it.
LIMITS = {"latency": "latency", "size": "bytes", "ram": "ram"}
_BEYOND = 1.5  # what misses a limit by more than this factor is out of reach, if others are not
_AS_NEAR = 1.01  # a file that is 1 % smaller is no reason for tiny pictures


@dataclass(frozen=True)
class Option:
    """A configuration with what it costs.

    Attributes:
        model, alpha, size: as for `run`.
        top1: expected on ImageNet, per cent; basis: see `expected_top1`.
        macs: multiply-adds of one picture.
        latency: milliseconds, or None where there is no way to know (`mcu`).
        bytes: of the file.
        ram: bytes: activations on a CPU, the arena on a microcontroller, SRAM with an NPU.
        breaks: names of the limits that it does not keep.
    """

    model: str
    alpha: float
    size: int
    top1: float
    basis: str
    macs: int
    latency: float | None
    bytes: int
    ram: int
    breaks: tuple[str, ...] = ()


def choose(
    limits: dict[str, float],
    target: str = CPU,
    classes: int = 10,
    channels: int = 3,
    progress: Progress | None = None,
    table: LatencyTable | DeviceTable | None = None,
) -> dict:
    """Walk the grid of networks, alphas and sizes.

    Args:
        limits: by the names in `LIMITS`; any of them may be absent.
        target: `cpu`, `mcu` or an NPU, see `targets.TARGETS`.
        progress: called with (what is being done, done, of).
        table: of costs; by default this machine's for `cpu`, or the target's.

    Returns:
        target, measured_by, limits, considered (how many configurations), best (an option, or
        None), pareto (options within reach that no other beats in accuracy and every cost),
        nearest (without a best: what misses by the smallest factor; the limits that it breaks
        bind).

    Raises:
        UserError: an unknown target or limit, or a latency limit for `mcu`.
    """
    unknown = set(limits) - set(LIMITS)
    if unknown:
        raise UserError(f"There is no limit {unknown.pop()!r}; there are {', '.join(LIMITS)}.")
    check_target(target)
    if target == MCU and "latency" in limits:
        raise UserError(
            "A microcontroller's latency cannot be measured here; leave out --max-latency, or "
            "give an Ethos-U as --target."
        )
    if table is None:
        table = LatencyTable(ThisMachine()) if target == CPU else DeviceTable(target)
    limits = {name: limits[name] for name in LIMITS if name in limits}
    grid = list(candidates(classes, channels))

    def within(factor: float) -> list[Option]:
        near = [spec for spec in grid if _excess(at_least(spec, target), limits) <= factor]
        return _options(near or [_smallest(grid)], limits, table, progress)

    options = within(_BEYOND)
    best = max(
        (option for option in options if not option.breaks),
        key=lambda option: (option.top1, -option.macs),
        default=None,
    )
    nearest = None
    if best is None:
        # Once more, with whatever may come as near as the nearest so far, or nearer.
        options = within(_AS_NEAR * _excess(asdict(_nearest(options, limits)), limits))
        nearest = asdict(_nearest(options, limits))
    return {
        "target": target,
        "measured_by": table.kept.measured_by,
        "limits": limits,
        "considered": len(grid),
        "best": None if best is None else asdict(best),
        "pareto": [asdict(option) for option in pareto(options)],
        "nearest": nearest,
    }


def _nearest(options: list[Option], limits: dict[str, float]) -> Option:
    """What misses by the smallest factor; of all that are as near, the most accurate."""
    missed = [(_excess(asdict(option), limits), option) for option in options]
    least = min(excess for excess, _ in missed)
    near = (option for excess, option in missed if excess <= _AS_NEAR * least)
    return max(near, key=lambda option: option.top1)


def _excess(costs: dict, limits: dict[str, float]) -> float:
    """The factor by which the worst limit is missed, as far as the costs are known."""
    known = {limit: costs[name] for limit, name in LIMITS.items() if costs.get(name) is not None}
    return max((known[name] / most for name, most in limits.items() if name in known), default=0.0)


def _smallest(specs: list[Network]) -> Network:
    return min(specs, key=lambda spec: count(spec).weight_bytes)


def _options(
    specs: list[Network],
    limits: dict[str, float],
    table: LatencyTable | DeviceTable,
    progress: Progress | None,
) -> list[Option]:
    table.measure(specs, progress)
    options = []
    for done, spec in enumerate(specs, start=1):
        found = table.cost(spec)
        breaks = tuple(name for name, most in limits.items() if found[LIMITS[name]] > most)
        known = expected_top1(spec.name, spec.alpha, spec.input.side)
        macs = count(spec).macs
        option = Option(
            spec.name, spec.alpha, spec.input.side, *known, macs, **found, breaks=breaks
        )
        options.append(option)
        if progress:
            progress("Adding up", done, len(specs))
    return options


def pareto(options: Iterable[Option]) -> list[Option]:
    """Options that no other equals or beats in accuracy and every cost; cheapest first."""
    options = list(options)

    def costs(option: Option) -> tuple:
        return (-option.top1, option.latency or 0, option.bytes, option.ram)

    kept = [
        option
        for option in options
        if not any(
            costs(other) != costs(option)
            and all(a <= b for a, b in zip(costs(other), costs(option), strict=True))
            for other in options
        )
    ]
    return sorted(kept, key=lambda option: (option.latency or 0, option.bytes))


def command(option: dict, data: str = "DIR", channels: int = 3) -> str:
    """The command line that trains an option."""
    return run_command(
        data=data,
        model=option["model"],
        alpha=option["alpha"],
        size=option["size"],
        channels=channels if channels == 1 else None,
    )
