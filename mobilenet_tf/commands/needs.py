"""Which commands need packages that an installation without extras lacks.

They are asked for before a command begins, so that nothing is half-written. What only a source of
data, a task or a device needs is asked for there, with `core.packages.require` too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tf.core.packages import TRAINING, require

Values = Mapping[str, Any]


def is_run(what: Any) -> bool:
    """Return whether a command was given a run or its folder, and not a file."""
    if not isinstance(what, str | Path):
        return hasattr(what, "folder")
    return (Path(what) / "config.toml").is_file()


@dataclass(frozen=True)
class Need:
    """Packages that a command needs.

    Attributes:
        packages: Their names in `PACKAGES`.
        holds: Whether the values of all parameters ask for something that needs them.
    """

    packages: tuple[str, ...]
    holds: Callable[[Values], bool] = lambda values: True


def _trains_trials(values: Values) -> bool:
    trials = values["trials"]
    return bool(getattr(trials, "count", trials))


_TRAINS = ("run", "train", "quantize", "export", "verify", "tune", "compare", "search", "adapt")
NEEDS: dict[str, tuple[Need, ...]] = {
    **dict.fromkeys(_TRAINS, (Need(TRAINING),)),
    "suspects": (Need((*TRAINING, "cleanlab")),),
    "choose": (
        Need(TRAINING, _trains_trials),
        Need(("matplotlib",), lambda values: bool(values["plot"])),
    ),
    # The report of the run is written again.
    "evaluate": (
        Need(("matplotlib",), lambda values: values["robustness"] and is_run(values["what"])),
    ),
    "android": (Need(("scikit-learn",)),),  # test pictures
}


def require_needed(command: str, values: Values) -> None:
    """Check that what a command needs is installed.

    Args:
        command: The command's name.
        values: Name -> value of all parameters.

    Raises:
        UserError: A package is absent.
    """
    for need in NEEDS.get(command, ()):
        if need.holds(values):
            require(command, *need.packages)
