"""Search recipe and network for the best accuracy."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.selection.affordable import Affordable
from mobilenet_tf.selection.oracles import Limits
from mobilenet_tf.selection.search_loop import Train, TrialResult, search
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import Range


def tune(
    settings: SearchSettings,
    networks: Sequence[Affordable],
    train: Train,
    folder: Path,
    trials: int,
) -> list[TrialResult] | None:
    """Search until a number of trials are done, including those of an earlier, resumed search.

    Args:
        settings: Settings of the search.
        networks: The networks to choose from, the cheapest first.
        train: Trains a trial and returns its validation accuracy; see `search`.
        folder: Folder in which keras-tuner saves its state, as `oracle/`.
        trials: Number of trials.

    Returns:
        The finished trials in order, or None for a worker.

    Raises:
        Exception: Anything else that `train` raises.
    """
    found = search(_Tuning(settings, networks), train, folder, Limits(trials))
    return None if found is None else found.trials


class _Tuning:
    """The network and the fields of a recipe: a `Problem`.

    The network is one choice among all that the budget allows, ordered by cost. No algorithm can
    ask for another, and the Gaussian process sees expensive networks next to expensive ones.
    """

    judged = "validation"

    def __init__(self, settings: SearchSettings, networks: Sequence[Affordable]):
        self.settings, self.networks = settings, {one.label: one for one in networks}
        self.algorithm, self.seed = settings.algorithm, settings.seed
        self.longest = settings.longest
        labels = {"network": tuple(self.networks)}
        self.parameters: Mapping[str, Range | tuple] = {**labels, **settings.space.fields}

    def describe(self, values: Mapping[str, Any]) -> tuple[Affordable, dict[str, Any]]:
        """Return the network of some values, and the fields of the recipe."""
        fields = {
            path: _rounded(values[path], allowed)
            for path, allowed in self.settings.space.fields.items()
        }
        return self.networks[values["network"]], fields

    def canonical(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values: different ones are different trials."""
        return dict(values)

    def accepts(self, values: Mapping[str, Any]) -> bool:
        """Return True: only networks within the budget can be chosen."""
        return True

    def reward(self, values: Mapping[str, Any], accuracy: float) -> float:
        """Return the accuracy: the budget is all that is asked of the cost."""
        return accuracy


def _rounded(value: Any, allowed: Range | tuple) -> Any:
    """Return a value of a continuous range to three digits, as people would write it."""
    if not isinstance(allowed, Range) or allowed.whole:
        return value
    return min(max(float(f"{value:.3g}"), float(allowed.least)), float(allowed.most))
