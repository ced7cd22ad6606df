"""keras-tuner's environment variables, which make a process a chief or one of its workers."""

import os
import time
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import say
from mobilenet_tf.training.cluster import is_port

_PATIENCE = 1800  # seconds that a worker waits: its chief may measure networks first
_VARIABLES = ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID")


def check_environment() -> None:
    """Reject keras-tuner's variables where some of them are missing or wrong.

    Raises:
        UserError: A chief and its workers need all three.
    """
    values = {name: os.environ.get(name) for name in _VARIABLES}
    if all(value is None for value in values.values()):
        return
    for name, value in values.items():
        if not value or (name == "KERASTUNER_ORACLE_PORT" and not is_port(value)):
            raise UserError(
                f"{name} is {(value or '')[:100]!r}; a search on several machines needs "
                f"{', '.join(_VARIABLES)}: the chief's address, its port, and `chief` or a name "
                "of this worker."
            )


def is_distributed() -> bool:
    """Return whether this process is a chief or one of its workers."""
    return "KERASTUNER_ORACLE_IP" in os.environ


def is_worker() -> bool:
    """Return whether this process trains for a chief."""
    return is_distributed() and "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "")


def wait_for_chief(file: Path) -> None:
    """Wait until the chief has begun its search.

    Args:
        file: What the chief writes when it has.

    Raises:
        UserError: It has not begun after half an hour.
    """
    if file.is_file():
        return
    say(f"Waiting for the chief to begin the search in {file.parent}.")
    for _ in range(_PATIENCE):
        time.sleep(1)
        if file.is_file():
            return
    raise UserError(
        f"No chief has begun a search in {file.parent}; start one with the same --out, in a folder "
        "that all processes can reach."
    )
