"""Which network, alpha and size fit a budget: expected accuracy against measured cost.

Accuracy is that of the published ImageNet table (`mobilenet_tf.models.expected`); latency is the
sum of parts measured on this machine, or Vela's cycles; size and memory are those of a file
written from the network's rows. Nothing is trained, unless trials are asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from export.latency import LatencyTable
from export.synthetic import converted_bytes
from export.targets import MCU, check_target, measure
from mobilenet_tf.console import run_command
from mobilenet_tf.errors import UserError
from mobilenet_tf.models.cost import cost
from mobilenet_tf.models.expected import expected_top1
from mobilenet_tf.models.grid import candidates
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.plots import trade_off

CPU = "cpu"
# The limits by name: unit in messages, and what is compared.
LIMITS = {"latency": "ms", "size": "bytes", "ram": "bytes"}
Progress = Callable[[str, int, int], None]


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

    def value(self, limit: str) -> float | None:
        """What a limit of that name is held against."""
        return {"latency": self.latency, "size": self.bytes, "ram": self.ram}[limit]

    def breaks(self, limits: dict[str, float]) -> list[str]:
        """Names of the limits that it does not keep."""
        return [name for name, most in limits.items() if self.value(name) > most]


def choose(
    limits: dict[str, float],
    target: str = CPU,
    classes: int = 10,
    channels: int = 3,
    threads: int = 1,
    progress: Progress | None = None,
    table: LatencyTable | None = None,
) -> dict:
    """Walk the grid of networks, alphas and sizes.

    Args:
        limits: by the names in `LIMITS`; any of them may be absent.
        target: `cpu`, `mcu` or an NPU, see `targets.TARGETS`.
        progress: called with (what is being done, done, of).
        table: kept latencies, for `cpu`.

    Returns:
        target, limits, considered (how many configurations), best (an option, or None),
        pareto (options that no other beats in accuracy and every cost), binds (names of the
        limits that no configuration at all can keep by themselves, or all that are given if
        it is only together), nearest (the option that misses by the smallest factor).

    Raises:
        UserError: an unknown target or limit, or a latency limit for `mcu`.
    """
    unknown = set(limits) - set(LIMITS)
    if unknown:
        raise UserError(f"There is no limit {unknown.pop()!r}; there are {', '.join(LIMITS)}.")
    if target != CPU:
        check_target(target)
    if target == MCU and "latency" in limits:
        raise UserError(
            "A microcontroller's latency cannot be measured here; leave out --max-latency, or "
            "give an Ethos-U as --target."
        )
    limits = {name: limits[name] for name in LIMITS if name in limits}
    specs = [s for s in candidates(classes, channels) if _worth_measuring(s, limits, target)]
    specs = specs or [_smallest(classes, channels)]
    options = list(_options(specs, target, threads, progress, table))
    fitting = [option for option in options if not option.breaks(limits)]
    best = max(fitting, key=lambda option: (option.top1, -option.macs), default=None)
    return {
        "target": target,
        "limits": limits,
        "considered": sum(1 for _ in candidates(classes, channels)),
        "best": None if best is None else asdict(best),
        "pareto": [asdict(option) for option in pareto(options)],
        "binds": [] if best else _binding(options, limits),
        "nearest": None if best else asdict(min(options, key=lambda o: _excess(o, limits))),
    }


def _worth_measuring(spec: ModelSpec, limits: dict[str, float], target: str) -> bool:
    """Counting is quick: what is far beyond a limit is not built. NPUs compress what they keep."""
    if target not in (CPU, MCU):
        return "size" not in limits or cost(spec).weight_bytes <= 4 * limits["size"]
    counted = cost(spec)
    pairs = (("size", counted.weight_bytes), ("ram", counted.peak_activation_bytes))
    return all(name not in limits or value <= 1.5 * limits[name] for name, value in pairs)


def _smallest(classes: int, channels: int) -> ModelSpec:
    """The configuration that every impossible budget is nearest to."""
    return min(candidates(classes, channels), key=lambda spec: cost(spec).weight_bytes)


def _options(
    specs: list[ModelSpec],
    target: str,
    threads: int,
    progress: Progress | None,
    table: LatencyTable | None,
) -> Iterable[Option]:
    if target == CPU:
        table = table or LatencyTable(threads)
        table.measure(specs, progress and (lambda *done: progress("Measuring latency", *done)))
    for done, spec in enumerate(specs, start=1):
        counted = cost(spec)
        if target == CPU:
            found = {
                "latency": table.milliseconds(spec),
                "bytes": converted_bytes(spec),
                "ram": counted.peak_activation_bytes,
            }
        else:
            device = measure(spec, target)
            found = {
                "latency": device.get("milliseconds"),
                "bytes": device["flash"],
                "ram": device["arena"],
            }
        top1, basis = expected_top1(spec.name, spec.alpha, spec.size)
        yield Option(spec.name, spec.alpha, spec.size, top1, basis, counted.macs, **found)
        if progress:
            progress("Measuring files", done, len(specs))


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


def _binding(options: list[Option], limits: dict[str, float]) -> list[str]:
    alone = [name for name, most in limits.items() if all(o.value(name) > most for o in options)]
    return alone or list(limits)


def _excess(option: Option, limits: dict[str, float]) -> float:
    """The factor by which the worst limit is missed."""
    return max(option.value(name) / most for name, most in limits.items())


def command(option: dict, data: str = "DIR", channels: int = 3) -> str:
    """The command line that trains an option."""
    return run_command(
        data=data,
        model=option["model"],
        alpha=option["alpha"],
        size=option["size"],
        channels=channels if channels == 1 else None,
    )


def plot(result: dict, path: Path) -> None:
    """Accuracy against latency (or file size, where there is none) as a picture.

    Raises:
        UserError: the ending is not .png, .svg or .pdf, or it cannot be written.
    """
    timed = result["pareto"][0]["latency"] is not None
    axis, limit, title = (
        ("latency", "latency", "latency, ms") if timed else ("bytes", "size", "file, bytes")
    )
    groups: dict[str, list] = {}
    for option in result["pareto"]:
        groups.setdefault(option["model"], []).append((option[axis], option["top1"]))
    best = result["best"]
    trade_off(
        path,
        groups,
        best and (best[axis], best["top1"]),
        result["limits"].get(limit),
        f"{title} ({result['target']})",
        "expected ImageNet top-1, % (published table)",
    )
