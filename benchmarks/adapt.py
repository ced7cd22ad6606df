"""NetAdapt against the width multiplier, at equal measured latency and equal epochs: docs/adapt.md.

python -m benchmarks.adapt [--data DIR] [--folder DIR] [--seeds N] [--only cpu|devices] ...

The pictures of DIR are split again, 60 % for training and 25 % for testing. Each network is trained
and adapted to shares of its measured latency. Two controls start from the same trained weights: the
network at the alpha that has the latency of the adapted one, its channels chosen by the same norm;
and the adapted shape with random channels. Two start from random weights: the adapted shape, and
the network at that alpha. All are trained for as many epochs as the weights of the adapted network.
Work that was interrupted continues. Nothing is chosen by test pictures.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

import mobilenet_tf as mn
from benchmarks.adapt_page import DEVICES, SECTIONS, draw, summary
from benchmarks.resplit import options_of, split_of
from mobilenet_tf.core.files import read_json, write_atomically, write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.networks.channel_weights import channel_norms, cut_weights
from mobilenet_tf.networks.channels import cut
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.models import load_float, saving
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget

NETWORKS = (("v2", 1.0), ("v3_small", 1.0))
SHARES = (0.75, 0.5, 0.35)
SIZE = 96
# Budgets of one run each, as shares of the cost before.
BUDGETS = (("mcu", "ram", 0.6), ("mcu", "flash", 0.5), ("ethos-u55-128", "latency", 0.6))
_ALPHAS = 100  # alphas are multiples of 1 / _ALPHAS


@dataclass(frozen=True)
class Lengths:
    """How long everything is trained.

    Attributes:
        base: Number of epochs of the network before it is adapted.
        tail: Number of epochs after the cut.
        steps: Number of steps in which the whole cost would be saved.
        batches: As in `AdaptSettings`.
    """

    base: int = 30
    tail: int = 20
    steps: int = 50
    batches: int = 10

    def planned(self, share: float) -> int:
        """Return the number of steps to a share of the cost."""
        return max(1, round(self.steps * (1 - share)))


class Bench:
    """One network with one seed, in a folder."""

    def __init__(self, data: Path, folder: Path, network: Network, seed: int, lengths: Lengths):
        self.folder, self.lengths = folder, lengths
        settings = mn.RunSettings(
            data=str(data), network=network, recipe=self._recipe(lengths.base), seed=seed
        )
        self.base = mn.train(settings, out=folder / "base", resume=True)

    def _recipe(self, epochs: int) -> Any:
        return mn.load_recipe("small_data").with_fields({"train.epochs": epochs})

    def adapted(self, name: str, settings: mn.AdaptSettings) -> dict[str, Any]:
        """Return what `adapt` returns."""
        tail = self._recipe(self.lengths.tail)
        out = self.folder / name
        return mn.adapt(self.base, settings, recipe=tail, out=out, resume=True)

    def shares(self, share: float) -> dict[str, Any]:
        """Compare the network adapted to a share of its latency with all controls.

        Returns:
            share, latency (before, after, of the control), alpha (of the control), steps, extra
            (epochs of the brief trainings that the adapted weights went through), correct
            (way -> name of a test picture -> whether it is classified correctly).
        """
        lengths, name = self.lengths, f"{share:g}"
        settings = mn.AdaptSettings(
            to=share,
            steps=lengths.planned(share),
            batches=lengths.batches,
            seed=self.base.settings.seed,
        )
        found = self.adapted(name, settings)
        run = Run.open(found["run"])
        per_epoch = steps_per_epoch(self.base.data.train, run.settings.recipe.batch)
        extra = math.ceil(found["steps"] * lengths.batches / per_epoch)
        alpha, control, latency = self.same_latency(found["after"]["latency"])
        kept, whole = lengths.tail + extra, lengths.base + lengths.tail + extra
        random = np.random.default_rng(run.settings.seed)
        ways = {
            "adapted": run,
            "uniform": self.cut(f"{name}_uniform", control, self.norms(), kept),
            "random": self.cut(
                f"{name}_random", run.network, lambda op: random.random(op.shape[2]), kept
            ),
            "shape": self.train(f"{name}_shape", run.network, "none", whole),
            "alpha": self.train(f"{name}_alpha", control, "none", whole),
        }
        return {
            "share": share,
            "latency": {
                "before": found["before"]["latency"],
                "after": found["after"]["latency"],
                "control": latency,
            },
            "alpha": alpha,
            "steps": found["steps"],
            "extra": extra,
            "correct": {way: correct(one) for way, one in ways.items()},
        }

    def same_latency(self, latency: float) -> tuple[float, Network, float]:
        """Return the largest alpha that is not slower, its network and latency.

        Where rounding makes widths equal, a shortcut is added; such alphas are left out, because
        the trained weights have none there.
        """
        before, table = self.base.network, cost_table("cpu")

        def scaled(alpha: int) -> Network:
            made = make_network(before.name, alpha / _ALPHAS, SIZE, before.classes)
            return replace(made, input=before.input)

        low, high = 1, round(before.alpha * _ALPHAS)
        while low < high:
            middle = (low + high + 1) // 2
            table.measure([scaled(middle)])
            fits = (table.cost(scaled(middle)).latency or 0) <= latency
            low, high = (middle, high) if fits else (low, middle - 1)
        while _operations(scaled(low)) != _operations(before):
            low -= 1
        table.measure([scaled(low)])
        return low / _ALPHAS, scaled(low), float(table.cost(scaled(low)).latency or 0)

    def norms(self) -> Callable[[Op], np.ndarray]:
        """Return the norms by which `adapt` chooses channels."""
        return channel_norms(self.base.network, self._weights())

    def _weights(self) -> dict[str, list[np.ndarray]]:
        layers = load_float(self.base.folder).layers
        return {layer.name: layer.get_weights() for layer in layers if layer.weights}

    def cut(
        self, name: str, network: Network, norms: Callable[[Op], np.ndarray], epochs: int
    ) -> Run:
        """Cut the trained network to another's widths at once, and train it."""
        file = self.folder / f"{name}.keras"
        if not file.exists():
            smaller = cut(self.base.network, network, norms)
            model = build_network(network)
            for layer, arrays in cut_weights(smaller, self._weights()).items():
                model.get_layer(layer).set_weights(arrays)
            write_atomically(file, saving(model, self.base.classes))
        return self.train(name, network, str(file), epochs)

    def train(self, name: str, network: Network, weights: str, epochs: int) -> Run:
        """Train a network on the pictures of the base."""
        keras.backend.clear_session()
        settings = replace(
            self.base.settings, network=network, weights=weights, recipe=self._recipe(epochs)
        )
        return mn.train(settings, out=self.folder / name, resume=True)


def _operations(network: Network) -> list[str]:
    return [op.name for op in lower(network)]


def correct(run: Run) -> dict[str, bool]:
    """Return whether each test picture is classified correctly, by its name."""
    model, test = load_float(run.folder), Run.open(run.folder.path).data.test
    learned = run.task.objective(run.network)
    scores = model.predict(evaluation_batches(test, run.network.input, learned, 64), verbose=0)
    found = scores.argmax(axis=1) == test.labels
    return dict(zip(test.names, map(bool, found), strict=True))


def on_cpu(data: Path, options: argparse.Namespace, lengths: Lengths) -> dict[str, Any]:
    """Compare all networks at all shares, and return what docs/adapt.json has."""
    outcomes: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        for name, alpha in NETWORKS:
            bench = None
            for share in options.shares:
                folder = options.folder / f"{name}_{seed}"
                file = folder / f"{share:g}.json"
                if not file.exists():
                    network = make_network(name, alpha, SIZE)
                    bench = bench or Bench(data, folder, network, seed, lengths)
                    write_json(file, bench.shares(share))
                outcomes.append({"model": name, "seed": seed} | read_json(file))
                say(f"{name}, seed {seed}, {share:.0%}: done")
    return summary(outcomes, lengths.__dict__)


def on_devices(data: Path, options: argparse.Namespace, lengths: Lengths) -> list[dict[str, Any]]:
    """Adapt V2 0.35 to budgets of a microcontroller and an NPU; return the rows of a table."""
    network = make_network("v2", 0.35, SIZE)
    bench = Bench(data, options.folder / "devices", network, 0, lengths)
    rows = []
    for device, cost, share in BUDGETS:
        table = cost_table(device)
        table.measure([bench.base.network])
        before = getattr(table.cost(bench.base.network), cost)
        limit = share * before if cost == "latency" else int(share * before)
        settings = mn.AdaptSettings(
            budget=Budget(**{cost: limit}),
            device=device,
            steps=lengths.planned(share),
            batches=lengths.batches,
        )
        found = bench.adapted(f"{device}_{cost}", settings)
        rows.append({"cost": cost, "limit": limit} | found)
    for row in rows:  # paths are of this machine
        del row["run"], row["plot"]
    return rows


def main() -> None:
    """Measure, and write docs/adapt.json, docs/adapt_devices.json, the plot and their sections."""
    parser = options_of(__doc__ or "", "adapt")
    parser.add_argument("--only", choices=("cpu", "devices"))
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    for name, value in Lengths().__dict__.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dry", action="store_true", help="leave the documents as they are")
    options = parser.parse_args()
    if options.table:
        for section in SECTIONS:
            section.write()
        return
    lengths = Lengths(**{name: getattr(options, name) for name in Lengths().__dict__})
    data, facts = split_of(options), {"machine": machine(), "source": options.data.name}
    if options.only != "devices":
        found = facts | on_cpu(data, options, lengths)
        if options.dry:
            print(SECTIONS[0].render(found))
        else:
            SECTIONS[0].save(found)
            draw(found)
    if options.only != "cpu":
        rows = facts | {"rows": on_devices(data, options, lengths)}
        if options.dry:
            print(DEVICES.render(rows))
        else:
            DEVICES.save(rows)


if __name__ == "__main__":
    main()
