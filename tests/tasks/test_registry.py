"""`[task]` of a configuration, and the task that the metadata of a file name."""

from pathlib import Path

import pytest

from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.settings import RunSettings, read_settings
from mobilenet_tf.tasks.registry import DEFAULT, TASKS, metadata_of, task_from_dict
from tests.sources import Source, check, package, violations

NETWORK = make_network("v1", 0.25, 32, 2)
EARLIER = Path(__file__).parents[1] / "runs" / "fixtures" / "run_v1"


@pytest.mark.parametrize("name", TASKS)
def test_a_task_with_its_defaults_comes_back(name):
    task = task_from_dict({"name": name}, "config.toml")
    assert task.name == name
    assert task_from_dict(task.to_dict(), "config.toml") == task
    assert task_from_dict(metadata_of(task).get("task"), "a.tflite") == task


def test_earlier_runs_are_classifiers():
    settings = read_settings(EARLIER)
    assert settings.task == DEFAULT
    values = settings.to_dict()
    plain = {"pairs": False, "temperature": 1.0, "threshold": 0.0}
    assert values["task"] == {"name": "classification", **plain}
    del values["task"]
    assert RunSettings.from_dict(values) == settings
    assert Result().task_class is type(DEFAULT)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("classification", "task is 'classification'; it must be a table"),
        ({}, "the task's name is None; it must be one of classification"),
        ({"name": "clasification"}, "the task's name is 'clasification'; it must be one of"),
        ({"name": ["classification"]}, r"the task's name is \['classification'\]"),
        ({"name": "classification", "noun": "x"}, "task has an unknown field 'noun'"),
    ],
)
def test_other_tables_are_refused(stated, message, tmp_path):
    with pytest.raises(UserError, match=f"config.toml: {message}"):
        task_from_dict(stated, "config.toml")
    file = tmp_path / "file.tflite"
    file.write_bytes(
        add_metadata(
            int8_file(NETWORK),
            name="signs",
            description="Signs.",
            labels=("a", "b"),
            input_spec=NETWORK.input,
            extra={"task": stated},
        )
    )
    with pytest.raises(UserError, match=f"file.tflite: {message}"):
        predict(file, ["any.png"])


def test_a_result_of_an_unknown_task():
    with pytest.raises(UserError, match="the task's name is 'cooking'"):
        _ = Result(task="cooking").task_class


def test_only_the_registry_knows_tasks_by_name():
    """Elsewhere a task is asked, and its name is not compared.

    Formats of datasets have fields of such names, and so has an extra of the package.
    """
    others = ("mobilenet_tf.datasets.sources.", "mobilenet_tf.core.packages")

    def named(source: Source):
        if source.place[:1] != ("tasks",) and not source.module.startswith(others):
            for line, text in enumerate(source.text.splitlines(), start=1):
                if any(f'"{name}"' in text for name in TASKS):
                    yield line, f"names a task: {text.strip()}"

    check(violations(package(), named))


def test_a_file_whose_outputs_are_not_those_of_its_task(tmp_path):
    file = tmp_path / "file.tflite"
    file.write_bytes(
        add_metadata(
            int8_file(NETWORK),
            name="signs",
            description="Signs.",
            labels=("a", "b"),
            input_spec=NETWORK.input,
            extra={"task": {"name": "detection"}},
        )
    )
    with pytest.raises(UserError, match="outputs of the shapes 2, which are not those of the task"):
        predict(file, ["any.png"])
