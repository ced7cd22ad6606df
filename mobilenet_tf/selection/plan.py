"""What a search is to do, which networks it may afford, and its folder. Needs no TensorFlow."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import check_weights
from mobilenet_tf.selection.space import Space
from mobilenet_tf.training.recipe import Recipe

ALGORITHMS = ("hyperband", "bayesian", "random")
# Cost -> its unit in messages; also the names of limits.
COSTS = {
    "macs": "multiply-adds",
    "bytes": "bytes of the file",
    "ram": "bytes of memory",
    "latency": "ms",
}
Measure = Callable[[Sequence[Network]], list[dict[str, float]]]


@dataclass(frozen=True)
class Plan:
    """A search, as `config.toml` keeps it.

    Attributes:
        source: of the pictures, as for `load_data`.
        channels: 3 (RGB) or 1 (grey).
        algorithm: one of `ALGORITHMS`.
        recipe: gives every number that is not varied; its `train.epochs` are a trial's, with
            `hyperband` the longest.
        space: what is varied.
        limits: cost -> the most that a network may have of it.
        weights: where training starts, as in `Job`.
        seed: of the search and of every trial.
    """

    source: str
    channels: int
    algorithm: str
    recipe: Recipe
    space: Space
    limits: Mapping[str, float]
    weights: str = "none"
    seed: int = 0

    def __post_init__(self):
        if self.algorithm not in ALGORITHMS:
            raise UserError(
                f"algorithm is {self.algorithm!r}; it must be one of {', '.join(ALGORITHMS)}."
            )
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}; it must be at least 0.")
        check_weights(self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for TOML."""
        plain = ("source", "channels", "algorithm", "weights", "seed")
        return {name: getattr(self, name) for name in plain} | {
            "limits": dict(self.limits),
            "space": self.space.to_dict(),
            "recipe": self.recipe.to_dict(),
        }


def counted(specs: Sequence[Network]) -> list[dict[str, float]]:
    """What is known of networks without measuring: multiply-adds and activations."""
    found = map(count, specs)
    return [{"macs": one.macs, "ram": one.peak_activation_bytes} for one in found]


def affordable(
    specs: Sequence[Network], limits: Mapping[str, float], measure: Measure = counted
) -> list[dict]:
    """The networks that keep every limit, with their costs, cheapest first.

    A search that chooses among these alone never asks for one that is too expensive.

    Returns:
        {"network", "model", "alpha", "size", and costs} of each.

    Raises:
        UserError: there is none; the sentence has the one that comes nearest.
    """
    rows = [
        {"network": f"{spec.name} {spec.alpha} {spec.input.side}"}
        | {"model": spec.name, "alpha": spec.alpha, "size": spec.input.side}
        | costs
        for spec, costs in zip(specs, measure(specs), strict=True)
    ]
    kept = [row for row in rows if all(row[name] <= most for name, most in limits.items())]
    if not kept:

        def excess(row: dict) -> float:
            return max(row[name] / most for name, most in limits.items())

        nearest = min(rows, key=excess)
        has = " and ".join(
            f"{nearest[name]:,.9g} {COSTS[name]} of {most:,.9g}" for name, most in limits.items()
        )
        raise UserError(
            f"No network of the space keeps the limits; {nearest['network']} comes nearest, "
            f"with {has}."
        )
    return sorted(kept, key=lambda row: row["macs"])


@dataclass(frozen=True)
class Search:
    """A search with its folder.

    Attributes:
        run: the folder.
        plan: what is to be done.
        networks: those it chooses among, as from `affordable`.
    """

    run: RunFolder
    plan: Plan
    networks: list[dict]


def is_worker() -> bool:
    """Whether this process trains for a chief, by keras-tuner's environment variables."""
    return "KERASTUNER_ORACLE_IP" in os.environ and not is_chief()


def is_chief() -> bool:
    """Whether this process only hands out trials to workers."""
    alone = "KERASTUNER_ORACLE_IP" not in os.environ
    return not alone and "chief" in os.environ.get("KERASTUNER_TUNER_ID", "")


def begin_search(
    plan: Plan,
    out: str | Path,
    measure: Measure = counted,
    overwrite: bool = False,
    resume: bool = False,
) -> Search:
    """Make a search's folder, or go on with one that was interrupted.

    Args:
        out: the folder. A chief and its workers share it, and the chief makes it.
        measure: what networks cost; has to know every cost that is limited.
        overwrite: throw away what the folder holds.
        resume: go on with what the folder holds, if it does.

    Raises:
        UserError: the folder is in use and neither is asked for, or it belongs to other settings;
            the pictures cannot be learned from; or no network keeps the limits.
    """
    run = RunFolder(out)
    specs = plan.space.networks(classes=2, channels=plan.channels)
    if run.config_file.is_file() and (resume or is_worker()):
        run.require_same(plan.to_dict())
    if is_worker():
        return Search(run, plan, affordable(specs, {}))  # the chief chooses
    if run.config_file.is_file() and resume and "networks" in run.result():
        return Search(run, plan, run.result()["networks"])
    run.require_free(overwrite or resume)
    with picture_progress(f"Reading {plan.source}") as progress:
        smallest = min(specs, key=lambda spec: spec.input.side)
        classes = len(load_data(plan.source, smallest.input, plan.seed, progress).classes)
    specs = [spec.with_classes(classes) for spec in specs]
    networks = affordable(specs, plan.limits, measure)
    run.clear()
    run.write_config(plan.to_dict())
    run.update_result(networks=networks)
    return Search(run, plan, networks)
