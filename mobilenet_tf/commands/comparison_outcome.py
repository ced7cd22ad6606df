"""What a comparison leaves: intervals, tables for papers, a plot, a report, a result."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.comparison_costs import NPU, file_costs, network_costs
from mobilenet_tf.commands.comparison_trials import Trainer
from mobilenet_tf.core.files import write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.load import source_name
from mobilenet_tf.deployment.report.comparison_page import write_comparison_page
from mobilenet_tf.deployment.report.comparison_tables import write_tables
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.predictions import Predictions
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
        data, classes, test_images, recipe, epochs, qat_epochs, seeds; form, the one that is
        compared (`int8` or `float`); reference, the network that the others are compared with;
        networks, a row each: network, model, alpha, size, costs, float and int8 (mean, low, high,
        seeds), int8_change (of accuracy, from float), difference (to the reference), diverged,
        pareto, trials; int8_change, the mean over the networks; excluded; npu, versions, machine.
    """
    settings, seeds = trainer.settings, range(trainer.settings.seeds)
    forms = ("float", "int8") if settings.int8 else ("float",)
    runs = {
        one.label: [_known(trainer.outcome(one.network, seed)) for seed in seeds] for one in fitting
    }
    bootstrap = Bootstrap(
        {
            (name, form): [run.correct(form) for run in own]
            for name, own in runs.items()
            for form in forms
        }
    )
    means = {name: bootstrap.accuracy((name, forms[-1])).mean for name in runs}
    first = settings.reference == "first"
    reference = next(iter(means)) if first else max(means, key=lambda name: means[name])
    costs = _costs(trainer, fitting, folder)
    rows = [
        {
            **_facts(one),
            **costs[one.label],
            **_accuracies(bootstrap, one.label, runs[one.label], forms),
            "difference": None
            if one.label == reference
            else bootstrap.difference((one.label, forms[-1]), (reference, forms[-1])).to_dict(),
            "trials": [f"trials/{trainer.place(one.network, seed).name}" for seed in seeds],
        }
        for one in fitting
    ]
    front = undominated(rows, lambda row: _price(row, forms[-1]))
    pairs = [((name, "int8"), (name, "float")) for name in runs]
    recipe, some = settings.recipe, next(iter(runs.values()))[0]
    return {
        "data": source_name(trainer.source),
        "classes": fitting[0].network.classes,
        "test_images": len(some.names),
        "recipe": recipe.name,
        "epochs": recipe.train.epochs,
        "qat_epochs": recipe.qat.epochs if settings.int8 else None,
        "weights": settings.weights,
        "seeds": settings.seeds,
        "form": forms[-1],
        "reference": reference,
        "networks": [row | {"pareto": row in front} for row in rows],
        "int8_change": bootstrap.mean_difference(pairs).to_dict() if settings.int8 else None,
        "limits": settings.budget.limits,
        "device": settings.device,
        "excluded": [
            _facts(one)
            | {
                "breaks": list(settings.budget.exceeded(one.cost)),
                "cost": settings.budget.compare(one.cost, settings.budget.exceeded(one.cost)),
            }
            for one in excluded
        ],
        "npu": NPU,
        "versions": folder.config()["versions"],
        "machine": machine(),
    }


def _known(found: Predictions | None) -> Predictions:
    assert found is not None, "every trial is finished"
    return found


def _facts(one: Affordable) -> dict[str, Any]:
    network = one.network
    return {
        "network": label(network),
        "model": network.name,
        "alpha": network.alpha,
        "size": network.input.size_text,
    }


def _accuracies(
    bootstrap: Bootstrap, name: str, runs: Sequence[Predictions], forms: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {"int8": None, "int8_change": None}
    for form in forms:
        shares = [sum(run.correct(form).values()) / len(run.names) for run in runs]
        found[form] = bootstrap.accuracy((name, form)).to_dict() | {"seeds": shares}
    if "int8" in forms:
        found["int8_change"] = bootstrap.difference((name, "int8"), (name, "float")).to_dict()
    return found | {"diverged": sum(run.diverged for run in runs)}


def _costs(
    trainer: Trainer, fitting: Sequence[Affordable], folder: RunFolder
) -> dict[str, dict[str, Any]]:
    """Return what networks and files cost; what an earlier part of the comparison knows is kept."""
    networks = {one.label: one.network for one in fitting}
    before = {row["network"]: row for row in _earlier(folder).get("networks", ())}
    keys = ("parameters", "macs", "arena_bytes", "npu_cycles")
    known = {name: {key: before[name][key] for key in keys} for name in networks if name in before}
    new = {name: one for name, one in networks.items() if name not in known}
    known |= network_costs(new, simulate=trainer.settings.int8)
    files: dict[str, Path] = {}
    for name, network in networks.items():
        places = (trainer.place(network, seed) for seed in range(trainer.settings.seeds))
        written = [RunFolder(place).tflite for place in places if RunFolder(place).tflite.is_file()]
        files |= {name: written[0]} if written and trainer.settings.int8 else {}
    timed = file_costs(files)
    none = dict.fromkeys(("file_bytes", "latency_ms", "latency_p10_ms", "latency_p90_ms"))
    return {name: known[name] | none | timed.get(name, {}) for name in networks}


def _earlier(folder: RunFolder) -> dict[str, Any]:
    """Return the result of an earlier part of the comparison; empty without a readable one."""
    try:
        found = json.loads(folder.result_file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _price(row: Mapping[str, Any], form: str) -> tuple[float, ...]:
    return (-row[form]["mean"], *(row[cost] or 0 for cost in COSTS))


def write_outcome(folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
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
    return result | {"files": [str(path) for path in files]}
