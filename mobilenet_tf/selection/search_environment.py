"""keras-tuner's environment variables, which make a process a chief or one of its workers."""

import os

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.training.cluster import is_port

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


def is_worker() -> bool:
    """Return whether this process trains for a chief."""
    chief = "chief" in os.environ.get("KERASTUNER_TUNER_ID", "")
    return "KERASTUNER_ORACLE_IP" in os.environ and not chief
