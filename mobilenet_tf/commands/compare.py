"""`compare`: train networks in the same way, and say which is better, by how much, at what cost."""

import time
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import LONGEST_PART, start_tensorflow
from mobilenet_tf.commands.comparison_outcome import outcome, write_outcome
from mobilenet_tf.commands.comparison_trials import Trainer
from mobilenet_tf.commands.outcomes.searches import Comparison
from mobilenet_tf.commands.progress import activity_progress
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.progress import overall
from mobilenet_tf.core.terminal import say
from mobilenet_tf.datasets.load import class_names, source_name
from mobilenet_tf.deployment.devices.tables import budget_table
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import require_apart
from mobilenet_tf.runs.run import check_weights
from mobilenet_tf.selection.affordable import Affordable, label, priced, within
from mobilenet_tf.selection.comparison import ComparisonSettings, parse_networks
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK


@applicable
def compare(
    data: str | Path,
    networks: Sequence[Network | str],
    *,
    settings: ComparisonSettings = ComparisonSettings(),  # noqa: B008  frozen
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Comparison:
    """Train networks with the same split, recipe and epochs and several seeds, and compare them.

    The folder then has `report.html`, the table as `comparison.csv`, `.md` and `.tex`,
    `pareto.png`, `result.json`, and a run folder per trial in `trials/`.

    Args:
        data: Source of the images, as for `run`.
        networks: Networks, or texts such as `v1:0.25@96`.
        settings: Recipe, number of seeds, budget and whatever else describes the comparison.
        out: The folder; `runs/compare_DATA` by default.
        overwrite: Whether to replace an earlier comparison in the folder.
        resume: Whether to continue the comparison in the folder, if there is one. It may receive
            more networks and seeds; finished trials are kept.

    Raises:
        UserError: The folder is in use and neither `overwrite` nor `resume` is set, or it belongs
            to other data, settings or versions; the data is not suitable; or no network is within
            the budget.
    """
    source = str(data)
    given = parse_networks(networks, InputSpec(*DEFAULT_TASK.usual_input(source)))
    check_weights(settings.weights)
    classes = len(class_names(source))
    found = [network.with_classes(classes) for network in given]
    out = Path(out or Path("runs") / f"compare_{source_name(source)[:LONGEST_PART]}")
    with at_work(out):
        folder, trainer = RunFolder(out), Trainer(source, settings, out)
        table = budget_table(settings.budget, settings.device)
        with activity_progress() as progress:
            prices = priced(found, settings.budget, table, progress)
        fitting = within(prices, settings.budget)
        start_tensorflow()
        _begin(folder, trainer, fitting, overwrite=overwrite, resume=resume)
        _train(trainer, [one.network for one in fitting])
        excluded = [one for one in prices if one not in fitting]
        return write_outcome(folder, outcome(trainer, fitting, excluded, folder))


def _begin(
    folder: RunFolder,
    trainer: Trainer,
    fitting: Sequence[Affordable],
    *,
    overwrite: bool,
    resume: bool,
) -> None:
    """Make the folder of a comparison, or check that it may be continued.

    Raises:
        UserError: See `compare`.
    """
    from mobilenet_tf.deployment.proof.verify import versions

    source, settings = trainer.source, trainer.settings
    known = Path(source).absolute() if Path(source).exists() else source
    config = {"data": str(known), **settings.identity(), "versions": versions()}
    if resume and folder.config_file.is_file():
        folder.require_same(config)
        folder.claim("comparison", new=False)
        folder.sweep()
        return
    inputs = {"data": source, "weights": settings.weights}
    require_apart(folder.path, inputs, overwrite=overwrite)
    folder.require_free(overwrite)
    # Only now: a comparison that cannot begin must not delete an earlier one.
    trainer.data(fitting[0].network, seed=0)
    folder.clear("comparison")
    folder.write_config(config)


def _train(trainer: Trainer, networks: Sequence[Network]) -> None:
    """Train what is missing, all networks with one seed before the next seed."""
    seeds = range(trainer.settings.seeds)
    done = trainer.collect(networks, seeds)
    total = len(networks) * len(seeds)
    seconds: list[float] = []
    for seed in seeds:
        for network in networks:
            if trainer.is_done(network, seed):
                continue
            each = sum(seconds) / len(seconds) if seconds else 0.0
            say(overall(done, total, each, f"{label(network)}, seed {seed}"))
            started = time.monotonic()
            trainer.train(network, seed)
            seconds.append(time.monotonic() - started)
            done += 1
