"""Load a teacher for knowledge distillation from a run folder or a model file."""

from pathlib import Path

import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_model import OWN_LAYERS
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.training.distillation import Teacher, as_teacher


def load_teacher(teacher: str, student: Network) -> Teacher | None:
    """Load a trained network as a teacher.

    The teacher of a run receives images normalised as it was trained. A model file says nothing
    about preprocessing, so its network must expect the student's. Images are scaled to the
    teacher's size.

    Args:
        teacher: `none`, a run folder, or a .keras or .h5 file of any tf_keras classifier.
        student: Network to be trained; gives input and number of classes.

    Returns:
        The teacher, or None for `none`.

    Raises:
        UserError: There is no such teacher, or it is not a classifier of such images.
    """
    if teacher == "none":
        return None
    path, input_spec = Path(teacher), student.input
    if path.is_dir():
        run = RunFolder.open(path, "float.keras")
        path = run.float_model
        input_spec = Network.from_dict(run.config()["model"]).input
    try:
        model = keras.models.load_model(path, custom_objects=OWN_LAYERS, compile=False)
    except Exception as error:  # whatever a foreign file makes Keras raise
        raise UserError(f"{path} cannot be read as a tf_keras model.") from error
    return as_teacher(model, student, input_spec, str(path))
