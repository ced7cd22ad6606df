"""Golden vectors of decoding are what Python finds today; Kotlin, JavaScript and C read them."""

import json
from importlib import import_module

import numpy as np
import pytest

TASKS = ("classification", "segmentation", "embedding", "multilabel", "geolocation")


@pytest.mark.parametrize("task", TASKS)
def test_the_file_is_what_its_program_writes(task):
    if task == "geolocation":
        pytest.importorskip("h3")
    program = import_module(f"tests.tasks.{task}.write_decoding")
    committed, made = (
        json.loads(program.FILE.read_text()),
        json.loads(json.dumps(program.content())),
    )
    assert _texts(committed) == _texts(made)
    np.testing.assert_allclose(_numbers(committed), _numbers(made), rtol=1e-6, atol=1e-7)


def _leaves(value):
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else [value]


def _texts(value):
    return [leaf for leaf in _leaves(value) if not isinstance(leaf, int | float)]


def _numbers(value):
    return [leaf for leaf in _leaves(value) if isinstance(leaf, int | float)]
