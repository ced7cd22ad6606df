"""The file of a detector as MediaPipe's ObjectDetector runs it."""

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.front_ends import MEDIAPIPE
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.tflite.metadata import Details, add_metadata
from mobilenet_tf.deployment.tflite.post_processing import (
    OUTPUTS,
    PostProcessing,
    with_post_processing,
)
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.tasks.detection.anchors import anchor_boxes
from mobilenet_tf.tasks.registry import metadata_of

TARGET = MEDIAPIPE.name


def detector_file(model: Int8Model) -> bytes:
    """Return a detector that takes uint8 pixels and returns boxes, with metadata and labels.

    The boxes are those that `predict` shows.

    Raises:
        UserError: The model is no detector, takes grey pictures, or has learned pictures of their
            own shape.
    """
    constants = model.task.constants(model.network, model.labels)
    if "sizes" not in constants:
        raise UserError(
            f"--target {TARGET} is for detectors, and this is a network for {model.task.name}; "
            "MediaPipe's ImageClassifier takes the file of a classifier of colour pictures as "
            "it is."
        )
    picture = model.network.input
    if picture.channels != 3:
        raise UserError(
            "MediaPipe gives colour pictures, and this detector takes grey ones; train it with "
            "--channels 3."
        )
    if picture.fit != MEDIAPIPE.fit:
        raise UserError(
            f"MediaPipe stretches the whole picture to the input; this detector was trained with "
            f"the fit {picture.fit!r} instead of {MEDIAPIPE.fit!r}."
        )
    extra = metadata_of(model.task, constants)
    settings = extra["task"]
    rules = PostProcessing(
        anchors=anchor_boxes(constants["maps"], constants["sizes"]),
        classes=len(model.labels),
        centre_unit=constants["centre_unit"],
        side_unit=constants["side_unit"],
        score=settings["score"],
        overlap=settings["overlap"],
        most=settings["most"],
    )
    return add_metadata(
        with_uint8_ends(with_post_processing(model.content, rules)),
        name=model.title,
        description=f"{model.task.description(len(model.labels))}, with boxes as outputs.",
        labels=model.labels,
        input_spec=picture,
        details=Details(outputs=OUTPUTS),
        extra=extra,
    )
