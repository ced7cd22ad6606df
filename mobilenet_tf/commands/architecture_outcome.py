"""What an architecture search leaves: candidates as CSV, a plot, a result."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mobilenet_tf.commands.search_outcome import read_result
from mobilenet_tf.core.files import write_json, write_text
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture import ArchitectureSettings
from mobilenet_tf.selection.cost import COSTS
from mobilenet_tf.selection.front import undominated
from mobilenet_tf.selection.published_near import price
from mobilenet_tf.selection.tradeoff import draw_trials

if TYPE_CHECKING:  # it needs TensorFlow
    from mobilenet_tf.selection.search_loop import TrialResult

TRIALS, FINALISTS = "trials", "finalists"  # folders of the trainings, in that of the search
JUDGED = {"macs": "share of the most multiply-adds, %"}  # else it is an accuracy
_COLUMNS = ("trial", "network", "reward", "judged", "epochs", *COSTS, "pareto", "run")


def rows_of(results: "Sequence[TrialResult]", folder: str = TRIALS) -> list[dict[str, Any]]:
    """Return a row per trial; `pareto` is whether no other dominates it.

    Compared are accuracy, `price` and file size. The runs are in `folder`.
    """

    def worth(one: "TrialResult") -> tuple[float, ...]:
        cost = one.trial.choice.cost
        return (-one.accuracy, price(cost), cost.flash)

    front = undominated(results, worth)
    return [
        {
            "trial": one.trial.number,
            **one.trial.choice.to_dict(),
            "epochs": one.trial.epochs,
            "judged": one.accuracy,
            "reward": one.reward,
            "pareto": one in front,
            "run": f"{folder}/{one.trial.run}",
        }
        for one in results
    ]


def winners_of(results: "Sequence[TrialResult]", count: int) -> list[Affordable]:
    """Return the networks of the largest rewards; of equal ones, the cheapest first."""
    ordered = sorted(results, key=lambda one: (-one.reward, price(one.trial.choice.cost)))
    different = {one.trial.choice.label: one.trial.choice for one in ordered}
    return list(different.values())[:count]


def write_candidates(
    folder: RunFolder,
    settings: ArchitectureSettings,
    result: Mapping[str, Any],
    results: "Sequence[TrialResult]",
) -> list[str]:
    """Write `candidates.csv`, `trials.png` and `result.json`; return the paths.

    `result.json` also has the winners' networks as `config.toml` would, rows and all.

    Raises:
        UserError: A file cannot be written.
    """
    table, plot = folder.path / "candidates.csv", folder.path / "trials.png"
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(result["trials"])
    write_text(table, stream.getvalue())
    best = {one["network"]: one for one in result["winners"]}
    front = {row["trial"] for row in result["trials"] if row["pareto"]}
    groups = {True: "on the Pareto front", False: "other candidates"}
    points = [
        (groups[one.trial.number in front], one.trial.choice.cost, one.accuracy) for one in results
    ]
    first = next(iter(best))
    winner = next(one for one in results if one.trial.choice.label == first)
    draw_trials(
        points,
        (winner.trial.choice.cost, winner.accuracy),
        settings.budget,
        plot,
        JUDGED.get(settings.judge.kind, "validation accuracy, %"),
    )
    networks = {one.trial.choice.label: one.trial.choice.network.to_dict() for one in results}
    held = {"architectures": {name: networks[name] for name in best}}
    write_json(folder.result_file, read_result(folder) | dict(result) | held)
    return [str(path) for path in (table, plot, folder.result_file)]
