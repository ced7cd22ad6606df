"""Which machines train together, and which of them this one is. Needs no TensorFlow.

`tf.distribute` and this module read the same environment variable, TF_CONFIG:
{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.
"""

import json
import os

from mobilenet_tf.core.errors import UserError

STRATEGIES = ("none", "mirrored", "multiworker", "tpu")
_SHOWN = 300  # characters of TF_CONFIG in an error


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
        known = isinstance(workers, list) and all(map(_is_address, workers))
        alone = kind == "worker" and list(config["cluster"]) == ["worker"]
        if known and alone and 0 <= index < len(workers):
            return index
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        pass
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    raise UserError(
        f"TF_CONFIG is {shown!r}; --strategy multiworker needs "
        '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}} '
        "with the index of this worker."
    )


def _is_address(worker: object) -> bool:
    """Return whether this is HOST:PORT."""
    if not isinstance(worker, str):
        return False
    host, _, port = worker.rpartition(":")
    return bool(host) and is_port(port)


def is_port(text: str) -> bool:
    """Return whether this is the number of a port."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 2**16
