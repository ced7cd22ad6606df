"""A search on one dataset, and how well cheap judgements rank networks: docs/search.md.

python -m benchmarks.search [--data DIR] [--seeds N] [--folder DIR] [--judge KIND] [--minutes M]

The pictures of DIR are split again, 60 % for training and 25 % for testing. The limit is the
measured latency of `REFERENCE` on this CPU, and the search may take M minutes. The best network and
the published ones of the nearest latency are trained in full, with the same number of epochs. Then
networks drawn at random within the limit are judged in each way and trained in full. Work that was
interrupted continues.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import mobilenet_tf as mn
from benchmarks.ranks import rank_correlation
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.commands.search_judge import CandidateJudge
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.load import class_names
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.deployment.report.comparison_tables import markdown_table
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture import Architectures, ArchitectureSettings, Judge
from mobilenet_tf.selection.architecture_space import DEFAULT_SPACE, load_architectures

REFERENCE = ("v2", 0.35)
KINDS = ("training", "supernet", "macs")
JUDGE_EPOCHS = {"training": 5, "supernet": 40, "macs": 1}
EPOCHS, QAT_EPOCHS = 30, 4
JUDGE_SIZE = 64
_DRAWS = 10_000  # per network of the ranking, at most


def settings_of(data: Path, options: Mapping[str, Any]) -> ArchitectureSettings:
    """Return the search: within the latency of the reference, on the CPU."""
    space = load_architectures(options["space"] or DEFAULT_SPACE)
    network = mn.make_network(*REFERENCE, space.size[0], len(class_names(str(data))))
    table = cost_table("cpu")
    table.measure([network])
    epochs = options["epochs"]
    fields = {"train.epochs": epochs, "qat.epochs": min(QAT_EPOCHS, epochs)}
    return ArchitectureSettings(
        data=str(data),
        input=InputSpec(),
        recipe=mn.load_recipe("small_data").with_fields(fields),
        space=space,
        judge=judge_of(options["judge"], options["judge_epochs"]),
        budget=mn.Budget(latency=table.cost(network).latency),
        winners=1,
        seeds=options["seeds"],
    )


def judge_of(kind: str, epochs: int | None = None) -> Judge:
    """Return the settings of a judgement."""
    return Judge(kind=kind, epochs=epochs or JUDGE_EPOCHS[kind], size=JUDGE_SIZE)


def drawn(problem: Architectures, count: int) -> list[Affordable]:
    """Return different networks within the budget, drawn at random.

    Raises:
        UserError: Hardly any network is within the budget.
    """
    random, found = np.random.default_rng(0), {}
    for _ in range(_DRAWS * count):
        if len(found) == count:
            break
        values = problem.settings.space.drawn(random)
        if problem.accepts(values):
            one = problem.describe(values)[0]
            found[one.label] = one
    if len(found) < count:
        raise UserError(f"Only {len(found)} of {_DRAWS * count:,} networks are within the budget.")
    return list(found.values())


def ranks(settings: ArchitectureSettings, folder: Path, options: Mapping[str, Any]) -> dict:
    """Judge networks in each way, train them in full, and return what both found."""
    from mobilenet_tf.selection.search_loop import Trial

    classes, table = len(class_names(settings.data)), cost_table("cpu")
    judged: dict[str, list[float]] = {}
    for kind in KINDS:
        own = replace(settings, judge=judge_of(kind, options["judge_epochs"]))
        problem = Architectures(own, classes, table)
        networks = drawn(problem, options["networks"])
        judge = CandidateJudge(problem, folder / kind)
        judged[kind] = [
            judge(Trial(str(number), str(number), one, {}, own.judge.epochs))
            for number, one in enumerate(networks)
        ]
    full = mn.compare(
        settings.data,
        [one.network for one in networks],
        settings=mn.ComparisonSettings(recipe=settings.recipe, seeds=1, int8=False),
        out=folder / "full",
        resume=True,
    )
    trained = [row["float"]["mean"] for row in full["networks"]]
    return {
        "networks": [row["network"] for row in full["networks"]],
        "trained": trained,
        "judged": judged,
        "correlation": {kind: rank_correlation(held, trained) for kind, held in judged.items()},
    }


def measure(data: Path, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Search, train and judge, and return what docs/search.json has."""
    settings = settings_of(data, options)
    result = mn.search(
        settings,
        trials=options["trials"],
        hours=options["minutes"] / 60,
        out=folder / f"search_{options['judge']}",
        resume=True,
    )
    assert result is not None  # no worker
    del result["files"], result["final"]["files"]
    for row in result["trials"]:
        del row["run"]
    return {
        "reference": "{} {:g}".format(*REFERENCE),
        "minutes": options["minutes"],
        "search": result,
        "ranks": ranks(settings, folder / "ranks", options),
        "machine": machine(),
    }


def render(found: Mapping[str, Any]) -> str:
    """Return the content of docs/search.json as Markdown."""
    search, ranked, here = found["search"], found["ranks"], found["machine"]
    limit = search["limits"]["latency"]
    before = paragraph(
        f"A search of {found['minutes']:g} minutes by {search['algorithm']}, judged by "
        f"{search['judge']}, tried {len(search['trials'])} networks within {limit:.2f} ms, the "
        f"measured latency of {found['reference']}; {search['refused']:,} slower ones were not "
        "trained. The best, and the published networks whose latency is nearest, trained in full:"
    )
    trained = ranked["trained"]
    middle = paragraph(
        f"{len(trained)} networks drawn at random within the same limit reach {min(trained):.1%} "
        f"to {max(trained):.1%} in full training with one seed, {sum(trained) / len(trained):.1%} "
        "on average (float). Spearman's rank correlation of each judgement with that:"
    )
    titles = {
        "training": "a short training at a reduced size",
        "supernet": "the supernet",
        "macs": "most multiply-adds",
    }
    table = markdown(
        ("judged by", "correlation"),
        [(titles[kind], f"{value:.2f}") for kind, value in ranked["correlation"].items()],
    )
    last = f"{here['cores']} cores, {here['cpu']}."
    return "\n\n".join((before, markdown_table(search["final"]), middle, table, last))


SECTION = Section("search", render, "docs/search.md")


def main() -> None:
    """Measure, and write docs/search.json and its section."""
    parser = options_of(__doc__, "search")
    parser.add_argument("--judge", choices=KINDS, default="training")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--judge-epochs", type=int)
    parser.add_argument("--space", type=Path)
    parser.add_argument("--dry", action="store_true", help="leave the documents as they are")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    found = measure(split_of(options), options.folder, vars(options))
    if options.dry:
        print(render(found))
    else:
        SECTION.save(found)


if __name__ == "__main__":
    main()
