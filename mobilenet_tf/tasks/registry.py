"""All tasks by name, and `[task]` of `config.toml`."""

from collections.abc import Mapping
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.tasks.classification import Classification
from mobilenet_tf.tasks.geolocation.task import Geolocation
from mobilenet_tf.tasks.multilabel.task import MultiLabel
from mobilenet_tf.tasks.task import Task

TASKS: dict[str, type[Task]] = {
    task.name: task for task in (Classification, MultiLabel, Geolocation)
}
# The task of a configuration or a file that names none: earlier versions knew no other.
DEFAULT: Task = Classification()


def task_from_dict(values: Any, source: str) -> Task:
    """Return the task that `Task.to_dict` described.

    Args:
        values: The parsed table; None is the default task.
        source: What errors call the file.

    Raises:
        UserError: It is not a table, the name is unknown, or a field is not accepted.
    """
    if values is None:
        return DEFAULT
    if not isinstance(values, Mapping):
        raise UserError(f"{source}: task is {values!r}; it must be a table.")
    fields = dict(values)
    task = task_class(fields.pop("name", None), source)
    made: Task = from_plain(task, fields, f"{source}: task", strict=True)
    return made


def metadata_of(task: Task) -> dict[str, Any]:
    """Return the entries for a task in the metadata of a file, for `task_from_dict`.

    There are none for the default task, as in files of earlier versions.
    """
    return {} if task == DEFAULT else {"task": task.to_dict()}


def task_class(name: Any, source: str) -> type[Task]:
    """Return the class of the task with this name.

    Raises:
        UserError: There is none.
    """
    if not isinstance(name, str) or name not in TASKS:
        raise UserError(
            f"{source}: the task's name is {name!r}; it must be one of {', '.join(TASKS)}."
        )
    return TASKS[name]
