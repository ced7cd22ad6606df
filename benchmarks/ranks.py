"""How well cheap judgements of networks agree with full training: docs/search.md.

python -m benchmarks.ranks [--data DIR] [--folder DIR] [--networks N] [--judges KIND...]

N networks of the space, drawn at random within the latency of `search.REFERENCE` on this CPU, are
judged in each way and trained in full, with one seed. Work that was interrupted continues.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mobilenet_tf as mn
from benchmarks.resplit import split_of
from benchmarks.search import JUDGES, options_of_search, settings_of
from benchmarks.search import SECTION as SEARCH
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.commands.search_judge import CandidateJudge
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.load import class_names
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.architecture import Architectures

_FEWEST = 3
_DRAWS = 10_000  # per network, at most
_RESAMPLES = 2_000
FINALISTS = "finalists"
TITLES = {
    "training": "a short training at a reduced size",
    FINALISTS: "a training of half the epochs, as finalists have",
    "supernet": "the supernet",
    "macs": "most multiply-adds",
}


def rank_correlation(judged: Sequence[float], trained: Sequence[float]) -> float:
    """Return Spearman's rank correlation, from -1 to 1; 0 where all values of one side are equal.

    Args:
        judged: One judgement per network; larger is better.
        trained: Accuracy of each network after full training.

    Raises:
        UserError: There are fewer than 3 networks, or the two lengths differ.
    """
    from scipy.stats import spearmanr

    if len(judged) != len(trained) or len(judged) < _FEWEST:
        raise UserError(
            f"There are {len(judged)} judgements and {len(trained)} accuracies; their numbers must "
            f"be equal, and at least {_FEWEST}."
        )
    if len(set(judged)) == 1 or len(set(trained)) == 1:
        return 0.0
    return float(spearmanr(judged, trained).statistic)


def intervals(
    judged: Mapping[str, Sequence[float]], trained: Sequence[float]
) -> dict[str, tuple[float, float]]:
    """Return 95 % bootstrap intervals, over networks, of the rank correlation of each judgement."""
    random, found = np.random.default_rng(0), {}
    picks = random.integers(0, len(trained), (_RESAMPLES, len(trained)))
    full = np.asarray(trained)
    for kind, held in judged.items():
        values = [rank_correlation(np.asarray(held)[pick], full[pick]) for pick in picks]
        low, high = np.percentile(values, (2.5, 97.5))
        found[kind] = (float(low), float(high))
    return found


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


def measure(data: Path, folder: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Judge networks in each way, train them in full, and return what both found."""
    from mobilenet_tf.selection.search_loop import Trial

    classes, table = len(class_names(str(data))), cost_table("cpu")
    judged: dict[str, list[float]] = {}
    for kind in options["judges"]:
        settings = settings_of(data, kind if kind in JUDGES else "training", options)
        problem = Architectures(settings, classes, table)
        networks = drawn(problem, options["networks"])
        judge = CandidateJudge(problem, folder / kind)
        if kind == FINALISTS:
            judged[kind] = [one.accuracy for one in judge.finalists(networks)]
            continue
        judged[kind] = [
            judge(Trial(str(number), str(number), one, {}, settings.judge.epochs))
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
        "limit": settings.budget.latency,
        "epochs": settings.recipe.train.epochs,
        "trained": trained,
        "judged": judged,
        "correlation": {kind: rank_correlation(held, trained) for kind, held in judged.items()},
        "machine": machine(),
    }


def render(found: Mapping[str, Any]) -> str:
    """Return the content of docs/search_ranks.json as Markdown."""
    trained, judged = found["trained"], found["judged"]
    text = paragraph(
        f"{len(trained)} networks drawn at random within {found['limit']:.2f} ms classify "
        f"{min(trained):.1%} to {max(trained):.1%} of the test pictures correctly after "
        f"{found['epochs']} epochs (float, one seed), {sum(trained) / len(trained):.1%} on "
        "average. Each judgement ranks them by the validation pictures, or by counting. The table "
        "has Spearman's correlation of that rank with the rank of the test accuracy, its 95 % "
        "bootstrap interval over the networks, and the test accuracy of the network that is ranked "
        "first:"
    )
    spread = intervals(judged, trained)
    rows = [
        (
            TITLES[kind],
            f"{found['correlation'][kind]:.2f} [{low:.2f}, {high:.2f}]",
            f"{trained[int(np.argmax(judged[kind]))]:.1%}",
        )
        for kind, (low, high) in spread.items()
    ]
    table = markdown(("judged by", "rank correlation", "its first choice"), rows)
    verdicts = (_verdict(found["correlation"], spread), _beside_the_winner(trained))
    return "\n\n".join((text, table, *verdicts))


def _verdict(correlation: Mapping[str, float], spread: Mapping[str, tuple[float, float]]) -> str:
    """Return what the correlations say about judgements that train, and counting."""
    baseline = correlation.get("macs")
    if baseline is None:
        return ""
    better = [TITLES[kind] for kind, (low, _) in spread.items() if low > baseline]
    names = " and ".join(better) or "no judgement"
    return paragraph(
        f"Beyond chance, {names} ranks better than counting multiply-adds, as MCUNet does."
    )


def _beside_the_winner(trained: Sequence[float]) -> str:
    """Return how the network that benchmarks.search found stands among those drawn at random."""
    winner = SEARCH.content()["search"]["final"]["networks"][0]
    reached = winner["float"]["mean"]
    above = sum(one > reached for one in trained)
    gain = 100 * (reached - sum(trained) / len(trained))
    return paragraph(
        f"The network that the search found reaches {reached:.1%} (float, mean of "
        f"{len(winner['trials'])} seeds), {gain:.1f} points more than the random ones on average; "
        f"{above} of the {len(trained)} {'reaches' if above == 1 else 'reach'} more."
    )


SECTION = Section("search_ranks", render, "docs/search.md")


def main() -> None:
    """Measure, and write docs/search_ranks.json and its section."""
    parser = options_of_search(__doc__, "ranks")
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--judges", nargs="+", choices=TITLES, default=tuple(TITLES))
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    found = measure(split_of(options), options.folder, vars(options))
    SECTION.save_or_print(found, dry=options.dry)


if __name__ == "__main__":
    main()
