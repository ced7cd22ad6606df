"""Which machines train together, and which of them this one is. Needs no TensorFlow.

`tf.distribute` and this module read the same environment variable, TF_CONFIG:
{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.
"""

import json
import os

from mobilenet_tf.core.errors import UserError

STRATEGIES = ("none", "mirrored", "multiworker", "tpu")


def check_strategy(name: str) -> None:
    """Reject an unknown strategy, and `multiworker` without a valid TF_CONFIG.

    Raises:
        UserError: There is no such strategy, or TF_CONFIG does not list the workers.
    """
    if name not in STRATEGIES:
        raise UserError(f"strategy is {name!r}; it must be one of {', '.join(STRATEGIES)}.")
    if name == "multiworker":
        _worker_index()


def is_chief(strategy: str) -> bool:
    """Return whether this process owns the run folder: worker 0, or the only process.

    Raises:
        UserError: The strategy is `multiworker` and TF_CONFIG does not list the workers.
    """
    return strategy != "multiworker" or _worker_index() == 0


def _worker_index() -> int:
    """Return the index of this worker.

    Raises:
        UserError: TF_CONFIG is missing or wrong.
    """
    text = os.environ.get("TF_CONFIG", "")
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
    raise UserError(
        f"TF_CONFIG is {text!r}; --strategy multiworker needs "
        '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}} '
        "with the index of this worker."
    )
