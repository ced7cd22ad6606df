"""All tasks by name, and `[task]` of `config.toml`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import toml_value
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.core.settings import assignments
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.tasks.detection.task import Detection
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.tasks.geolocation.task import Geolocation
from mobilenet_tf.tasks.multilabel.task import MultiLabel
from mobilenet_tf.tasks.segmentation.task import Segmentation
from mobilenet_tf.tasks.task import Task

TASKS: dict[str, type[Task]] = {
    task.name: task
    for task in (Classification, Detection, Segmentation, Embedding, MultiLabel, Geolocation)
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
    settings = dict(values)
    task = task_class(settings.pop("name", None), source)
    made: Task = from_plain(task, settings, f"{source}: task", strict=True)
    return made


def make_task(name: str | None, options: Sequence[str] | None = None) -> Task:
    """Return a task that is named on the command line.

    Args:
        name: Its name; None is the default task.
        options: Its settings, as `FIELD=VALUE`; several values are separated by commas.

    Raises:
        UserError: There is no such task, or a field or a value is not accepted.
    """
    task = task_class(DEFAULT.name if name is None else name, "--task")
    kinds = get_type_hints(task)
    values = {
        field: _parsed(kinds.get(field), text)
        for field, text in assignments(options or (), "--task-option").items()
    }
    made: Task = from_plain(task, values, f"--task-option of {task.name}:", strict=True)
    return made


def _parsed(kind: Any, text: str) -> Any:
    """Return the plain value that a text on the command line means for a field."""
    if get_origin(kind) is tuple:
        return [_parsed(get_args(kind)[0], word.strip()) for word in text.split(",") if word]
    return text if kind is str else toml_value(text)


def options_of(task: Task) -> dict[str, Any]:
    """Return the options of `run` that make a task, for `run_command`."""
    if task == DEFAULT:
        return {}
    settings = {item.name: (getattr(task, item.name), item.default) for item in fields(task)}
    changed = (
        f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, (value, usual) in settings.items()
        if value != usual
    )
    return {"task": task.name, "task-option": list(changed)}


def distinction(task: Task) -> tuple[str, ...]:
    """Return what distinguishes the names of a task's folders; nothing for the default task."""
    return () if task.name == DEFAULT.name else (task.name,)


def metadata_of(task: Task, constants: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the entries for a task in the metadata of a file, for `task_from_dict`.

    There are none for the default task, as in files of earlier versions.

    Args:
        task: The task.
        constants: What `Task.constants` returned.
    """
    task = task.for_files()
    if task == DEFAULT:
        return {}
    return {"task": task.to_dict()} | ({"constants": dict(constants)} if constants else {})


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
