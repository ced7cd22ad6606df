"""Knowledge distillation: a trained network teaches another (Hinton et al., arXiv 1503.02531)."""

from collections.abc import Callable, Sequence

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.objective import Objective

# (N, height, width, channels) images, normalised for the student -> what `soft_loss` compares
Teacher = Callable[[tf.Tensor], tf.Tensor]


def as_teacher(
    model: keras.Model,
    student: Network,
    objective: Objective,
    input_spec: InputSpec,
    name: str,
    places: Sequence[int] | None = None,
) -> Teacher:
    """Make a network the teacher of a student with another size or normalisation.

    Args:
        model: Network of the same task.
        student: Network to be trained; the teacher receives its images.
        objective: What the student learns.
        input_spec: Input that the model was trained with.
        name: Name of the model in errors.
        places: The output for each class of the student; by default they have the same order.

    Raises:
        UserError: The model does not have the student's channels, or see `Objective.teaching`.
    """
    if len(model.input_shape) != 4 or model.input_shape[3] != student.input.channels:
        raise UserError(
            f"{name} has the input {model.input_shape}; a teacher needs images with "
            f"{student.input.channels} channels."
        )
    taught = objective.teaching(model, student, name, places)
    own = student.input
    height, width = (
        side or of_student
        for side, of_student in zip(model.input_shape[1:3], own.shape[:2], strict=True)
    )

    def teach(images: tf.Tensor) -> tf.Tensor:
        images = (images * own.std + (own.mean - input_spec.mean)) / input_spec.std
        if (height, width) != (own.height, own.width):
            images = tf.image.resize(images, (height, width), antialias=True)
        outputs = model(images, training=False)
        return taught(tf.nest.map_structure(lambda one: tf.cast(one, tf.float32), outputs))

    return teach
