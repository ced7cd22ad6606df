"""The command line in front of Python functions that only record what reaches them."""

from unittest.mock import MagicMock

import pytest

from mobilenet_tf.cli import app
from tests.sources import commands

_MODULES = [one for one in vars(app).values() if getattr(one, "__package__", "") == app.__package__]
_SHOWN = ("show", "show_answers", "print_run", "print_path", "console", "announce")


def record_calls(patch: pytest.MonkeyPatch) -> list[tuple[tuple, dict]]:
    """Replace what commands call; return the list to which each call adds its arguments."""
    calls = []

    def record(*arguments, **options):
        calls.append((arguments, options))
        return MagicMock()

    for module in _MODULES:
        for name in _SHOWN:
            if hasattr(module, name):
                patch.setattr(module, name, record if "show" in name else MagicMock())
    patch.setattr("mobilenet_tf.runs.tables.block_table", MagicMock())
    for name in (
        *(f"{command}.{command}" for command in commands()),
        *("gate.Gate", "evaluate.evaluate_as", "dry_run.dry_run", "predict.predict_parts"),
        *("explain.explain", "other_images.evaluate_other", "other_images.choose_by"),
    ):
        patch.setattr(f"mobilenet_tf.commands.{name}", record)
    return calls
