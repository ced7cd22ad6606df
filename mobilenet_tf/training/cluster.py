"""Which machines train together, and which of them this is. Needs no TensorFlow.

`tf.distribute` reads this from the environment variable TF_CONFIG, so it is read here too:
{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.
"""

import json
import os

from mobilenet_tf.core.errors import UserError

STRATEGIES = ("none", "mirrored", "multiworker", "tpu")


def check_strategy(name: str) -> None:
    """Raises:
    UserError: no such strategy, or TF_CONFIG does not say who the workers are.
    """
    if name not in STRATEGIES:
        raise UserError(f"strategy is {name!r}; it must be one of {', '.join(STRATEGIES)}.")
    if name == "multiworker":
        _task()


def is_chief(strategy: str) -> bool:
    """Whether this process keeps the run folder: worker 0 does, and whoever trains alone."""
    return strategy != "multiworker" or _task() == 0


def _task() -> int:
    """This worker's index.

    Raises:
        UserError: TF_CONFIG is missing or wrong.
    """
    text = os.environ.get("TF_CONFIG", "")
    example = (
        '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}} '
        "with the index of this worker"
    )
    try:
        config = json.loads(text)
        workers, kind, index = (
            config["cluster"]["worker"],
            config["task"]["type"],
            int(config["task"]["index"]),
        )
        if kind == "worker" and list(config["cluster"]) == ["worker"] and 0 <= index < len(workers):
            return index
    except (ValueError, KeyError, TypeError):
        pass
    raise UserError(f"TF_CONFIG is {text!r}; --strategy multiworker needs {example}.")
