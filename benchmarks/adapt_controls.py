"""A network, what NetAdapt makes of it, and controls of the same latency: `benchmarks.adapt`."""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

import mobilenet_tf as mn
from mobilenet_tf.commands.adapt import STATE
from mobilenet_tf.core.files import read_json, write_atomically, write_json
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.networks.channel_weights import channel_norms, cut_weights
from mobilenet_tf.networks.channels import cut
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.rows import InvertedResidual, Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.models import load_float, saving
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Cost

_ALPHAS = 100  # alphas are multiples of 1 / _ALPHAS
# Of networks that began with published weights. Chosen on validation pictures for the network at
# alpha 0.6: 0.80 with 1e-3, 0.77 with 3e-4.
_FURTHER_RATE = 1e-3


@dataclass(frozen=True)
class Lengths:
    """How long everything is trained.

    Attributes:
        base: Number of epochs of the network before it is adapted.
        tail: Number of epochs after the cut.
        steps: Number of steps in which the whole cost would be saved.
        batches: As in `AdaptSettings`.
    """

    base: int = 12
    tail: int = 12
    steps: int = 32
    batches: int = 5

    def planned(self, share: float) -> int:
        """Return the number of steps to a share of the cost."""
        return max(1, round(self.steps * (1 - share)))


class Bench:
    """One network with one seed, in a folder."""

    def __init__(self, folder: Path, settings: mn.RunSettings, lengths: Lengths):
        self.folder, self.lengths = folder, lengths
        self.published = settings.weights != "none"
        recipe = mn.load_recipe("transfer" if self.published else "small_data")
        settings = replace(settings, recipe=recipe.with_fields({"train.epochs": lengths.base}))
        self.base = mn.train(settings, out=folder / "base", resume=True)

    def _further(self, epochs: int) -> Any:
        """Return the recipe of what is trained after the base, or instead of it."""
        fields: dict[str, Any] = {"train.epochs": epochs}
        if self.published:
            fields["train.learning_rate"] = _FURTHER_RATE
        return mn.load_recipe("small_data").with_fields(fields)

    def adapted(self, name: str, settings: mn.AdaptSettings) -> dict[str, Any]:
        """Return what `adapt` returns."""
        tail = self._further(self.lengths.tail)
        out = self.folder / name
        return mn.adapt(self.base, settings, recipe=tail, out=out, resume=True)

    def continue_from(self, earlier: str, name: str, settings: mn.AdaptSettings) -> None:
        """Let an adaptation begin where the one to a larger share ended.

        Every step is taken once: the path to half of the latency leads through three quarters.
        """
        larger, folder = (RunFolder(self.folder / part) for part in (earlier, name))
        if folder.config_file.is_file():
            return
        folder.claim("adaptation")
        shutil.copyfile(larger.path / STATE, folder.path / STATE)
        started = read_json(larger.result_file)["start"]
        limits = settings.limits(from_plain(Cost, started["before"], "before")).limits
        write_json(folder.result_file, {"start": started | {"limits": limits}})
        folder.write_config(larger.config() | {"adaptation": settings.to_dict()})

    def shares(self, share: float, larger: float | None) -> dict[str, Any]:
        """Compare the network adapted to a share of its latency with all controls.

        Args:
            share: The share.
            larger: A share that it has been adapted to already.

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
        if larger is not None:
            self.continue_from(f"{larger:g}", name, settings)
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
        }
        if not self.published:
            ways |= {
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

        If all are slower, that is the smallest one.

        It has no shortcuts but those of the trained network: where rounding makes widths equal,
        the published one would get more, and the trained weights have none there.
        """
        before, table = self.base.network, cost_table("cpu")
        adds_input = _adds_input(before)

        def scaled(alpha: int) -> Network:
            made = make_network(before.name, alpha / _ALPHAS, classes=before.classes)
            backbone = tuple(
                replace(row, shortcut=adds) if isinstance(row, InvertedResidual) else row
                for row, adds in zip(made.backbone, adds_input, strict=True)
            )
            return replace(made, input=before.input, backbone=backbone)

        low, high = 1, round(before.alpha * _ALPHAS)
        while low < high:
            middle = (low + high + 1) // 2
            table.measure([scaled(middle)])
            fits = (table.cost(scaled(middle)).latency or 0) <= latency
            low, high = (middle, high) if fits else (low, middle - 1)
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
            self.base.settings,
            network=network,
            weights=weights,
            recipe=self._further(epochs),
        )
        return mn.train(settings, out=self.folder / name, resume=True)


def _adds_input(network: Network) -> list[bool]:
    """Return whether each row of a backbone adds its input to its output."""
    outs = [getattr(row, "out", None) for row in network.backbone]
    return [
        isinstance(row, InvertedResidual) and row.shortcut and row.stride == 1 and row.out == width
        for width, row in zip([None, *outs], network.backbone, strict=False)
    ]


def correct(run: Run) -> dict[str, bool]:
    """Return whether each test picture is classified correctly, by its name."""
    model, test = load_float(run.folder), Run.open(run.folder.path).data.test
    learned = run.task.objective(run.network)
    scores = model.predict(evaluation_batches(test, run.network.input, learned, 64), verbose=0)
    found = scores.argmax(axis=1) == test.labels
    return dict(zip(test.names, map(bool, found), strict=True))
