"""The trained network that a run learns from: that of another run, or a model file.

Checking it needs no TensorFlow.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import matched, read_labels
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import open_foreign
from mobilenet_tf.runs.settings import RunSettings

if TYPE_CHECKING:
    from mobilenet_tf.training.distillation import Teacher

_SUFFIXES = (".keras", ".h5")


@dataclass(frozen=True)
class TeacherModel:
    """A teacher as a user names it.

    Attributes:
        model: `none`, a run folder, or a .keras or .h5 file; None for that of the run.
        labels: File with the names of its outputs, one per line.
        trust_code: Whether functions of a file may run.
    """

    model: str | Path | None = None
    labels: str | Path | None = None
    trust_code: bool = False

    def settings(self) -> dict[str, Any]:
        """Return the fields of `RunSettings` that it changes.

        Raises:
            UserError: The file with the names cannot be read.
        """
        changed: dict[str, Any] = {"trust_code": self.trust_code}
        if self.model is not None:
            model = "none" if str(self.model) == "none" else os.path.abspath(self.model)
            changed |= {"teacher": model, "teacher_labels": ()}
        if self.labels is not None:
            changed["teacher_labels"] = read_labels(self.labels)
        return changed


def is_model_file(teacher: str) -> bool:
    """Whether a teacher is a model file, and not a run or `none`."""
    return Path(teacher).suffix in _SUFFIXES and not Path(teacher).is_dir()


def check_teacher(settings: RunSettings) -> tuple[str, ...] | None:
    """Reject a teacher that cannot be used, as far as this is known without loading the network.

    Returns:
        The names of its outputs, if they are known.

    Raises:
        UserError: There is no such run or file, or an option does not apply to it.
    """
    teacher, path = settings.teacher, Path(settings.teacher)
    if is_model_file(teacher) and path.is_file():
        return settings.teacher_labels or open_foreign(path, settings.trust_code).class_names
    if teacher != "none" and not path.is_dir():
        raise UserError(
            f"teacher is {teacher!r}; it must be none, a run folder, or an existing .keras or .h5 "
            "file."
        )
    for given, option in (
        (settings.teacher_labels, "--teacher-labels"),
        (settings.trust_code, "--trust-code"),
    ):
        if given:
            raise UserError(f"{option} applies only to a teacher that is a model file.")
    return None if teacher == "none" else RunFolder.open(path, "float.keras").settings().classes


def places_of_classes(
    settings: RunSettings, names: tuple[str, ...] | None
) -> tuple[int, ...] | None:
    """Return the output of a teacher for each class of a run.

    None if its names are not known, or if a teacher of this task may know other classes.

    Args:
        settings: Those of the run, with its classes.
        names: Names of the teacher's outputs.

    Raises:
        UserError: They are not the classes of the run.
    """
    if names is None or not settings.task.same_classes:
        return None
    order = matched(names, settings.classes)
    if order is None:
        remedy = "; give those in the order of its outputs with --teacher-labels FILE"
        raise UserError(
            f"The classes of {settings.teacher} are {', '.join(names[:10])}, not those of the data"
            f"{remedy if is_model_file(settings.teacher) else ''}."
        )
    return tuple(order.index(name) for name in settings.classes)


def load_teacher(settings: RunSettings) -> "Teacher | None":
    """Load the teacher of a run; None for `none`.

    The network of a run receives images normalised as in its own training. Of a file at most the
    class names are known, so it must accept images normalised as for the student. Images are
    resized to the teacher's input.

    Args:
        settings: Those of the run, with its classes.

    Raises:
        UserError: There is no such teacher, it contains code that is not trusted, or it is not a
            network for such images and this task.
    """
    if settings.teacher == "none":
        return None
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.distillation import as_teacher

    path, student = Path(settings.teacher), settings.network
    names: tuple[str, ...] | None
    if path.is_dir():
        folder = RunFolder.open(path, "float.keras")
        theirs = folder.settings()
        model, spec, names = load_float(folder), theirs.network.input, theirs.classes
    else:
        foreign = open_foreign(path, settings.trust_code)
        model, spec = foreign.load(), student.input
        names = settings.teacher_labels or foreign.class_names
    objective, places = settings.task.objective(student), places_of_classes(settings, names)
    return as_teacher(model, student, objective, spec, str(path), places)
