"""`search`: find networks for a dataset and a device, and compare them with published ones."""

import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.architecture_outcome import (
    FINALISTS,
    rows_of,
    winners_of,
    write_candidates,
)
from mobilenet_tf.commands.common import LONGEST_PART, require_same_device, start_tensorflow
from mobilenet_tf.commands.compare import compare
from mobilenet_tf.commands.outcomes.searches import ArchitectureSearch, Comparison
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.commands.search_folder import begin_folder
from mobilenet_tf.commands.search_judge import CandidateJudge
from mobilenet_tf.commands.search_outcome import read_result
from mobilenet_tf.core.bounds import check_number, check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.load import class_names, source_name
from mobilenet_tf.deployment.devices.tables import budget_table
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.affordable import Affordable, affordable
from mobilenet_tf.selection.architecture import Architectures, ArchitectureSettings
from mobilenet_tf.selection.comparison import ComparisonSettings
from mobilenet_tf.selection.cost import CostTable, CountedTable, check_budget
from mobilenet_tf.selection.published_near import nearest_published
from mobilenet_tf.selection.search_environment import (
    check_environment,
    is_distributed,
    is_worker,
)

TRIALS = 30
_MOST_TRIALS, _MOST_HOURS = 10_000, 10_000


@applicable
def search(
    settings: ArchitectureSettings,
    *,
    trials: int | None = None,
    hours: float | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> ArchitectureSearch | None:
    """Search for the networks with the best reward, and train the best ones in full.

    The best candidates, or the best of the finalists, and the published networks whose cost is
    nearest, are trained with the same recipe and compared on the test images, which the search
    itself does not use. The folder then has `candidates.csv`, `trials.png`, `result.json`, a run
    folder per short training in `trials/` and per finalist in `finalists/`, the state of the search
    in `oracle/` and `supernet/`, and the comparison in `final/`, see `compare`, with the run
    folders of the winners.

    Args:
        settings: Data, space, algorithm, judge, budget and whatever else describes the search.
        trials: Number of candidates, including those of an earlier search that is resumed; 30
            unless `hours` is given.
        hours: Time during which new candidates are started, including that of an earlier search
            that is resumed.
        out: The folder; `runs/search_DATA` by default. A chief and its workers share it.
        overwrite: Whether to replace an earlier search in the folder.
        resume: Whether to continue the search in the folder, if there is one.

    Returns:
        The candidates and the comparison; None for a worker, whose chief has the results.

    Raises:
        UserError: The folder is in use and neither `overwrite` nor `resume` is set, or it belongs
            to other settings; the data is not suitable; or no network is within the budget.
    """
    limits = _limits(trials, hours)
    check_environment()
    if is_distributed() and settings.judge.kind != "training":
        raise UserError(
            f"judge is {settings.judge.kind!r}; several machines can share only training: choose "
            "it, or unset KERASTUNER_ORACLE_IP."
        )
    name = source_name(settings.data)[:LONGEST_PART]
    folder = RunFolder(out or Path("runs") / f"search_{name}")
    with nullcontext() if is_worker() else at_work(folder.path):
        return _search(settings, limits, folder, overwrite=overwrite, resume=resume)


def _limits(trials: int | None, hours: float | None) -> dict[str, Any]:
    if hours is not None:
        check_number("hours", hours, 1e-6, _MOST_HOURS)
    if trials is None:
        trials = TRIALS if hours is None else _MOST_TRIALS
    check_whole("trials", trials, 1, _MOST_TRIALS)
    return {"trials": trials, "seconds": math.inf if hours is None else 3600 * hours}


def _search(
    settings: ArchitectureSettings,
    limits: dict[str, Any],
    folder: RunFolder,
    *,
    overwrite: bool,
    resume: bool,
) -> ArchitectureSearch | None:
    """Search as `search` does, in a folder that is locked."""
    classes = len(class_names(settings.data))
    if is_worker():
        table: CostTable = CountedTable()  # its chief has the costs
    else:
        table = budget_table(settings.timed, settings.device)
        check_budget(settings.timed, table)
    problem = Architectures(settings, classes, table)
    judge = CandidateJudge(problem, folder.path)

    def prepare() -> dict[str, Any]:
        least = problem.network(settings.space.extreme(min))
        with activity_progress() as progress:
            affordable([least], settings.budget, table, progress)
        return {"measured_on": table.measured_on}

    begin_folder(
        folder,
        settings.to_dict(),
        fingerprint=judge.fingerprint,
        prepare=prepare,
        overwrite=overwrite,
        resume=resume,
    )
    if not is_worker():
        earlier = read_result(folder).get("measured_on", table.measured_on)
        require_same_device(folder.path, earlier, table.measured_on, "search")
    start_tensorflow()
    from mobilenet_tf.selection.oracles import Limits
    from mobilenet_tf.selection.search_loop import search as loop

    found = loop(problem, judge, folder.path, Limits(**limits))
    if found is None:
        return None
    if not found.trials:
        raise UserError(
            f"No network was tried: {found.refused:,} proposals are beyond the budget. Give a "
            "larger budget, or a space with smaller networks."
        )
    if math.isinf(limits["seconds"]) and len(found.trials) < limits["trials"]:
        say(f"Nothing else within the budget was found after {len(found.trials)} trials.")
    rows = rows_of(found.trials)
    finalists = judge.finalists(winners_of(found.trials, settings.finalists))
    winners = winners_of(finalists or found.trials, settings.winners)
    published = nearest_published(winners[0], table)
    result = {
        "algorithm": settings.algorithm,
        "judge": settings.judge.kind,
        "limits": settings.budget.limits,
        "configurations": settings.space.configurations,
        "refused": found.refused,
        "trials": rows,
        "finalists": rows_of(finalists, FINALISTS),
        "winners": [one.to_dict() for one in winners],
        "published": [one.to_dict() for one in published],
    }
    files = write_candidates(folder, settings, result, found.trials)
    final = _compared(settings, [*winners, *published], folder.path / "final")
    return ArchitectureSearch(result, final=final, files=[*files, *final.files])


def _compared(settings: ArchitectureSettings, networks: list[Affordable], out: Path) -> Comparison:
    """Train the winners and the published networks in full; continue where that was interrupted."""
    return compare(
        settings.data,
        [one.network for one in networks],
        settings=ComparisonSettings(
            recipe=settings.recipe, seeds=settings.seeds, reference="first"
        ),
        out=out,
        resume=True,
    )
