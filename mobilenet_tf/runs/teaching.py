"""The teacher of a run, loaded and compared with its images."""

import tensorflow as tf

from mobilenet_tf.runs.order import order_images, require_model_order
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teacher import is_model_file, load_teacher
from mobilenet_tf.training.distillation import Teacher


def teacher_of(run: Run) -> Teacher | None:
    """Load the teacher of a run; None if it has none.

    Raises:
        UserError: See `load_teacher`; or a model file has its classes in another order than the
            data, which training images show.
    """
    settings, spec = run.settings, run.network.input
    teacher = load_teacher(settings)
    named = settings.teacher_labels or not settings.task.same_classes
    if teacher is None or not is_model_file(settings.teacher) or named:
        return teacher
    require_model_order(
        lambda pixels: teacher(tf.constant(spec.normalise(pixels))),
        run.data.train.sample(order_images(run.network.classes), settings.seed, spec),
        run.classes,
        f"The teacher {settings.teacher}",
        "Give the class names in the order of its outputs with --teacher-labels FILE.",
    )
    return teacher
