"""The files of keras-tuner's oracles as types, so that a damaged one is found when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from math import inf
from pathlib import Path

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from mobilenet_tf.core.files import read_json
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.core.settings import number
from mobilenet_tf.selection.search_settings import UNITS

_STATES = (TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.INVALID, TrialStatus.FAILED)
_MOST = 2**31


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A trial in a round of Hyperband, and the one that it continues."""

    id: str
    past_id: str | None


@dataclass(frozen=True, kw_only=True)
class _Bracket:
    bracket_num: int = number(least=0, most=UNITS)
    rounds: tuple[tuple[_Step, ...], ...]

    def __post_init__(self) -> None:
        if len(self.rounds) != self.bracket_num + 1:
            raise ValueError(f"bracket {self.bracket_num} has {len(self.rounds)} rounds")


@dataclass(frozen=True, kw_only=True)
class OracleState:
    """What is read of `oracle.json`, with the names that keras-tuner gives it.

    `refused` and `seconds` are this project's; the last four fields are those of Hyperband and of
    the Gaussian process.
    """

    ongoing_trials: dict[str, str]
    start_order: tuple[str, ...]
    end_order: tuple[str, ...]
    run_times: dict[str, int]
    retry_queue: tuple[str, ...]
    seed_state: int = number(least=0, most=_MOST)
    tried_so_far: tuple[str, ...]
    id_to_hash: dict[str, str | None]
    refused: tuple[str, ...] = ()
    seconds: float = number(0.0, least=0)
    brackets: tuple[_Bracket, ...] = ()
    current_bracket: int = number(0, least=0, most=UNITS)
    current_iteration: int = number(0, least=0, most=_MOST)
    alpha: float = number(1.0, above=0, most=1)

    @property
    def trials(self) -> set[str]:
        """The numbers of all trials that are mentioned."""
        steps = [step for bracket in self.brackets for step in chain(*bracket.rounds)]
        mentioned = chain(
            self.ongoing_trials.values(),
            self.start_order,
            self.end_order,
            self.retry_queue,
            (step.id for step in steps),
            (step.past_id for step in steps if step.past_id is not None),
        )
        return set(mentioned)


def read_state(file: Path) -> OracleState:
    """Read `oracle.json`.

    Raises:
        ValueError: It cannot be read, or a field is missing or not accepted.
    """
    state: OracleState = from_plain(OracleState, read_json(file), str(file))
    return state


def check_trials(
    trials: Mapping[str, Trial], state: OracleState, space: keras_tuner.HyperParameters
) -> None:
    """Reject trials of wrong types, with values outside of the space, or that continue no other.

    Args:
        trials: Number -> trial, as keras-tuner has read them.
        state: The state that mentions trials.
        space: What is varied.

    Raises:
        ValueError, KeyError, TypeError: There is such a trial, or one that is mentioned is absent.
    """
    if not state.trials <= trials.keys():
        raise ValueError(f"trials {sorted(state.trials - trials.keys())} are absent")
    for name, trial in trials.items():
        values = trial.hyperparameters.values
        if not name.isdecimal() or trial.status not in _STATES:
            raise ValueError(f"trial {name!r} is {trial.status!r}")
        for one in space.space:
            _check_value(one, values[one.name])
        first, units = values.get("tuner/trial_id"), values.get("tuner/epochs", UNITS)
        if first is not None and not (first in trials and int(first) < int(name)):
            raise ValueError(f"trial {name} continues {first!r}")
        known = isinstance(trial.score, float) and 0 <= trial.score < inf
        scored = known if trial.status == TrialStatus.COMPLETED else trial.score is None
        if units not in range(1, UNITS + 1) or not scored:
            raise ValueError(f"trial {name} has {units!r} epochs and the score {trial.score!r}")


def _check_value(one: keras_tuner.engine.hyperparameters.HyperParameter, value: object) -> None:
    if isinstance(one, keras_tuner.engine.hyperparameters.Choice):
        accepted = value in one.values
    else:
        accepted = type(value) in (int, float) and one.min_value <= value <= one.max_value
    if not accepted:
        raise ValueError(f"{one.name} is {value!r}")
