"""The trained network that a run learns from: that of another run, or a model file.

Checking it needs no TensorFlow.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import check_model_file, load_keras_model

if TYPE_CHECKING:
    from mobilenet_tf.training.distillation import Teacher


def check_teacher(teacher: str, classes: tuple[str, ...] | None = None) -> None:
    """Reject a teacher that cannot be used, as far as this is known without loading the network.

    Args:
        teacher: `none`, a run folder, or a .keras or .h5 file.
        classes: Class names of the student, once they are known. A teacher from a run must have
            the same.

    Raises:
        UserError: There is no such run or file, or its classes are different.
    """
    path = Path(teacher)
    if teacher == "none":
        return
    if path.suffix in (".keras", ".h5") and path.is_file():
        check_model_file(path, trust_code=None)
        return
    if not path.is_dir():
        raise UserError(
            f"teacher is {teacher!r}; it must be none, a run folder, or an existing .keras or .h5 "
            "file."
        )
    theirs = RunFolder.open(path, "float.keras").settings().classes
    if classes and theirs != classes:
        raise UserError(f"The classes of {path} are {', '.join(theirs)}, not those of the data.")


def load_teacher(teacher: str, student: Network) -> "Teacher | None":
    """Load the teacher of a run; None for `none`.

    The network of a run receives images normalised as in its own training. Nothing but the network
    is known of a file, so it must accept images normalised as for the student. Images are resized
    to the teacher's input.

    Args:
        teacher: `none`, a run folder, or a .keras or .h5 file of any tf_keras classifier.
        student: Gives preprocessing, channels and the number of classes.

    Raises:
        UserError: There is no such teacher, it contains code, or it is not a classifier of such
            images.
    """
    if teacher == "none":
        return None
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.distillation import as_teacher

    path, expected = Path(teacher), student.input
    if path.is_dir():
        folder = RunFolder.open(path, "float.keras")
        settings = folder.settings()
        return as_teacher(load_float(folder), student, settings.network.input, str(path))
    return as_teacher(load_keras_model(path, trust_code=None), student, expected, str(path))
