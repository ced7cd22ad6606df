"""What `tune`, `compare`, `search` and `adapt` return."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import percent, table
from mobilenet_tf.deployment.report.comparison_tables import (
    caption,
    excluded_text,
    short_cells,
    short_columns,
)
from mobilenet_tf.selection.cost import TITLES

_SHOWN = 10  # candidates


class Tuning(Outcome):
    """The best trial of a search, and the others.

    Attributes:
        algorithm: The algorithm.
        limits: The budget.
        networks: Number of networks within it.
        trials: One row each.
        best: The best row.
        recipe: File with the recipe of the best.
        command: Command line that trains the best.
        plot: File with a plot of the trials.
    """

    algorithm: str
    limits: dict[str, float]
    networks: int
    trials: list[dict[str, Any]]
    best: dict[str, Any]
    recipe: str
    command: str
    plot: str

    def __rich__(self) -> Group:
        best, costs = self.best, [name for name in self.limits if name != "macs"]
        rows = [
            (
                f"{row['trial']} *" if row == best else row["trial"],
                row["network"],
                percent(row["validation_accuracy"]),
                row["epochs"],
                *(f"{row[name]:,}" for name in ("macs", *costs)),
            )
            for row in self.trials
        ]
        columns = ["trial", "network", "validation", "epochs", "multiply-adds", *costs]
        title = f"{len(rows)} trials by {self.algorithm}, {self.networks} networks allowed"
        fields = list(best["fields"].items())
        next_steps = Text(f"{self.recipe}\n{self.plot}\n{self.command}")
        return Group(table(columns, rows, title), table(["* best", ""], fields), next_steps)

    def drawings(self) -> Iterable[str]:
        return [self.plot]


class Comparison(Outcome):
    """Networks that were trained in the same way: the content of `result.json`.

    Attributes:
        data: Name of the data.
        classes: Number of classes.
        test_images: Number of test images.
        recipe: Name of the recipe.
        epochs, qat_epochs: Numbers of epochs; the second is None if only float was compared.
        weights: Initial weights.
        seeds: Number of trainings of each network.
        form: The form that is compared, `int8` or `float`.
        reference: The network that the others are compared with.
        networks: A row each: network, model, alpha, size, costs, float and int8 (mean, low, high,
            seeds), int8_change (of accuracy, from float), difference (to the reference), diverged,
            pareto, trials.
        int8_change: Mean of that over the networks.
        limits: The budget.
        device: Device of the limits.
        excluded: Networks beyond the limits.
        npu, versions, machine: What was measured with.
        files: What was written.
    """

    data: str
    classes: int
    test_images: int
    recipe: str
    epochs: int
    qat_epochs: int | None
    weights: str
    seeds: int
    form: str
    reference: str
    networks: list[dict[str, Any]]
    int8_change: dict[str, Any] | None
    limits: dict[str, float]
    device: str
    excluded: list[dict[str, Any]]
    npu: str
    versions: dict[str, str]
    machine: dict[str, Any]
    files: list[str]

    def __rich__(self) -> Group:
        rows = []
        for row in self.networks:
            name, *others = short_cells(self, row)
            rows.append((f"{name} *" if row["pareto"] else name, *others))
        notes = (f"* on the Pareto front. {caption(self)}", excluded_text(self))
        return Group(
            table(short_columns(self), rows),
            *(Text(note) for note in notes if note),
            Text("\n".join(self.files)),
        )

    def drawings(self) -> Iterable[str]:
        return [name for name in self.files if name.endswith(".png")]


class ArchitectureSearch(Outcome):
    """Networks that were found for data and a device.

    Attributes:
        algorithm, judge: How candidates were proposed and judged.
        limits: The budget.
        configurations: Size of the space.
        refused: Number of proposals beyond the budget, which were not trained.
        trials: A row for each candidate.
        finalists: A row for each candidate that was trained again, for longer.
        winners: The best of the finalists, or of the candidates.
        published: The published networks whose cost is nearest.
        final: Both, trained in full.
        files: What was written.
    """

    algorithm: str
    judge: str
    limits: dict[str, float]
    configurations: int
    refused: int
    trials: list[dict[str, Any]]
    finalists: list[dict[str, Any]]
    winners: list[dict[str, Any]]
    published: list[dict[str, Any]]
    final: Comparison
    files: list[str]

    def __rich__(self) -> Group:
        title = (
            f"Best of {len(self.trials)} candidates by {self.algorithm}, judged by "
            f"{self.judge}; {self.refused:,} beyond the budget were not trained"
        )
        parts: list[RenderableType] = [self._table(self.trials, title)]
        if self.finalists:
            epochs = self.finalists[0]["epochs"]
            title = f"The best of them, trained again for {epochs} epochs at their own size"
            parts.append(self._table(self.finalists, title))
        note = Text("* on the Pareto front of the candidates in the same table")
        files = Text("\n".join(name for name in self.files if name not in self.final.files))
        return Group(*parts, note, files, self.final)

    def _table(self, candidates: list[dict[str, Any]], title: str) -> RenderableType:
        best = sorted(candidates, key=lambda row: -row["reward"])[:_SHOWN]
        asked = {"latency", *self.limits} - {"macs"}
        costs = [name for name in sorted(asked) if best[0][name] is not None]
        rows = [
            (
                f"{row['trial']} *" if row["pareto"] else row["trial"],
                row["network"],
                f"{row['judged']:.2%}",
                f"{row['reward']:.4f}",
                *(f"{row[name]:,.4g}" if name == "latency" else f"{row[name]:,}" for name in costs),
                f"{row['macs']:,}",
            )
            for row in best
        ]
        columns = ["trial", "network", "judged", "reward", *costs, "multiply-adds"]
        return table(columns, rows, title)

    def drawings(self) -> Iterable[str]:
        return [name for name in self.files if name.endswith(".png")]


class AdaptedNetwork(Outcome):
    """A network that was narrowed until it was within a budget.

    Attributes:
        device: Device of the costs.
        measured_on: The device in full.
        limits: The budget.
        before, after: Costs of the network.
        steps: Number of steps.
        validation: Validation accuracy `before`, of the `run` and, if asked for, from `scratch`.
        run: Folder of the adapted network's run.
        plot: File with a plot of the steps.
    """

    device: str
    measured_on: str
    limits: dict[str, float]
    before: dict[str, Any]
    after: dict[str, Any]
    steps: int
    validation: dict[str, float]
    run: str
    plot: str

    def __rich__(self) -> RenderableType:
        before, after, validation = self.before, self.after, self.validation
        rows = [
            (title, *(_value(costs.get(name), name) for costs in (before, after, self.limits)))
            for name, title in TITLES.items()
            if before[name] is not None
        ]
        rows.append(
            ("validation accuracy", percent(validation["before"]), percent(validation["run"]), "")
        )
        if "scratch" in validation:
            rows.append(("  from random weights", "", percent(validation["scratch"]), ""))
        columns = [
            f"{self.steps} {'step' if self.steps == 1 else 'steps'}, {self.device}",
            "before",
            "after",
            "limit",
        ]
        return Group(table(columns, rows), Text(f"{self.run}\n{self.plot}"))

    def drawings(self) -> Iterable[str]:
        return [self.plot]


def _value(value: float | None, name: str) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if name == "latency" else f"{value:,.0f}"
