"""What a comparison leaves: intervals, tables for papers, a plot, a report, a result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from mobilenet_tf.commands.comparison_costs import NPU, file_costs, network_costs
from mobilenet_tf.commands.comparison_trials import Trainer
from mobilenet_tf.commands.outcomes.searches import Comparison
from mobilenet_tf.core.files import write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.load import source_name
from mobilenet_tf.deployment.report.comparison_page import write_comparison_page
from mobilenet_tf.deployment.report.comparison_tables import write_tables
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.affordable import Affordable, label
from mobilenet_tf.selection.bootstrap import Bootstrap
from mobilenet_tf.selection.front import undominated
from mobilenet_tf.selection.tradeoff import draw_comparison

COSTS = ("latency_ms", "macs", "file_bytes", "arena_bytes")  # those that the front compares


def outcome(
    trainer: Trainer,
    fitting: Sequence[Affordable],
    excluded: Sequence[Affordable],
    folder: RunFolder,
) -> dict[str, Any]:
    """Return the accuracies, differences and costs of the networks of a finished comparison.

    Args:
        trainer: Has the outcome of every trial.
        fitting: The networks that were trained.
        excluded: The networks that exceed the budget.
        folder: Folder of the comparison.

    Returns:
        What `Comparison` has, except the files.
    """
    settings = trainer.settings
    accuracies = _Accuracies(trainer, fitting)
    reference = accuracies.reference(settings.reference)
    costs = _costs(trainer, fitting)
    rows = [
        {
            **_facts(one),
            **costs[one.label],
            **accuracies.row(one.label, reference),
            "trials": [f"trials/{trainer.place(one.network, k).name}" for k in _seeds(trainer)],
        }
        for one in fitting
    ]
    front = undominated(rows, lambda row: _price(row, accuracies.form))
    recipe, budget = settings.recipe, settings.budget
    return {
        "data": source_name(trainer.source),
        "classes": fitting[0].network.classes,
        "test_images": accuracies.images,
        "recipe": recipe.name,
        "epochs": recipe.train.epochs,
        "qat_epochs": recipe.qat.epochs if settings.int8 else None,
        "weights": settings.weights,
        "seeds": settings.seeds,
        "form": accuracies.form,
        "reference": reference,
        "networks": [row | {"pareto": row in front} for row in rows],
        "int8_change": accuracies.int8_change(),
        "limits": budget.limits,
        "device": settings.device,
        "excluded": [
            {
                **_facts(one),
                "breaks": list(budget.exceeded(one.cost)),
                "cost": budget.compare(one.cost, budget.exceeded(one.cost)),
            }
            for one in excluded
        ],
        "npu": NPU,
        "versions": folder.config()["versions"],
        "machine": machine(),
    }


def _seeds(trainer: Trainer) -> range:
    return range(trainer.settings.seeds)


class _Accuracies:
    """The accuracies of the networks of a comparison, whose trials are all finished."""

    def __init__(self, trainer: Trainer, fitting: Sequence[Affordable]):
        self.forms = ("float", "int8") if trainer.settings.int8 else ("float",)
        self.form = self.forms[-1]
        self._runs = {
            one.label: [trainer.outcome(one.network, seed) for seed in _seeds(trainer)]
            for one in fitting
        }
        self._bootstrap = Bootstrap(
            {
                (name, form): [run.correct(form) for run in runs]
                for name, runs in self._runs.items()
                for form in self.forms
            }
        )

    @property
    def images(self) -> int:
        """Number of test images of a seed."""
        return len(next(iter(self._runs.values()))[0].names)

    def reference(self, which: str) -> str:
        """Return the name of the first network, or of the best."""
        names = list(self._runs)
        if which == "first":
            return names[0]
        return max(names, key=lambda name: self._bootstrap.accuracy((name, self.form)).mean)

    def row(self, name: str, reference: str) -> dict[str, Any]:
        """Return the accuracies of a network, and its differences."""
        found: dict[str, Any] = dict.fromkeys(("int8", "int8_change", "difference"))
        runs, bootstrap = self._runs[name], self._bootstrap
        for form in self.forms:
            shares = [fmean(run.correct(form).values()) for run in runs]
            found[form] = bootstrap.accuracy((name, form)).to_dict() | {"seeds": shares}
        if "int8" in self.forms:
            found["int8_change"] = bootstrap.difference((name, "int8"), (name, "float")).to_dict()
        if name != reference:
            pair = (name, self.form), (reference, self.form)
            found["difference"] = bootstrap.difference(*pair).to_dict()
        return found | {"diverged": sum(run.diverged for run in runs)}

    def int8_change(self) -> dict[str, float] | None:
        """Return by how much int8 changes the accuracy, on average over the networks."""
        if "int8" not in self.forms:
            return None
        pairs = [((name, "int8"), (name, "float")) for name in self._runs]
        return self._bootstrap.mean_difference(pairs).to_dict()


def _facts(one: Affordable) -> dict[str, Any]:
    network = one.network
    return {
        "network": label(network),
        "model": network.name,
        "alpha": network.alpha,
        "size": network.input.size_text,
    }


def _costs(trainer: Trainer, fitting: Sequence[Affordable]) -> dict[str, dict[str, Any]]:
    """Return what networks cost, and their files, each of the first seed that has one."""
    networks = {one.label: one.network for one in fitting}
    found = network_costs(networks, simulate=trainer.settings.int8)
    files: dict[str, Path] = {}
    for name, network in networks.items():
        places = (RunFolder(trainer.place(network, seed)).tflite for seed in _seeds(trainer))
        written = [place for place in places if place.is_file()]
        files |= {name: written[0]} if written else {}
    timed = file_costs(files)
    none = dict.fromkeys(("file_bytes", "latency_ms", "latency_p10_ms", "latency_p90_ms"))
    return {name: {**found[name], **none, **timed.get(name, {})} for name in networks}


def _price(row: Mapping[str, Any], form: str) -> tuple[float, ...]:
    return (-row[form]["mean"], *(row[cost] or 0 for cost in COSTS))


def write_outcome(folder: RunFolder, result: dict[str, Any]) -> Comparison:
    """Write result, tables, plot and report; return the result with the paths of the files.

    Raises:
        UserError: A file cannot be written.
    """
    write_json(folder.result_file, result)
    plot = folder.path / "pareto.png"
    draw_comparison(result, plot)
    tables = write_tables(result, folder.path)
    write_comparison_page(result, folder.report)
    files = (folder.report, *tables, plot, folder.result_file)
    return Comparison(result, files=[str(path) for path in files])
