"""Heat maps of a few test pictures: where the network looks, and where its int8 file does."""

from collections.abc import Sequence

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import Split, balanced
from mobilenet_tf.deployment.proof.grad_cam import grad_cam
from mobilenet_tf.deployment.proof.occlusion import heat_map, shown
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.tasks.worst import Mistakes, worst_first

_WRONG, _RIGHT = 4, 4  # pictures; occlusion runs the file 145 times for each
_TITLE = "Heat maps: image, Grad-CAM of the float network, occlusion of the int8 file"


def heat_maps(
    model: keras.Model,
    file: TFLiteModel,
    test: Split,
    classes: Sequence[str],
    outputs: np.ndarray,
    input_spec: InputSpec,
) -> Mistakes:
    """Return test pictures with the heat maps of a classifier, the most confident mistakes first.

    Args:
        model: The float network.
        file: Its int8 file.
        test: Test pictures with one class each.
        classes: Class names.
        outputs: The file's scores for the pictures, (N, classes).
        input_spec: Preprocessing of the network.
    """
    predicted = outputs.argmax(axis=1)
    wrong = worst_first(outputs.max(axis=1), predicted != test.labels)[:_WRONG]
    right = np.flatnonzero(predicted == test.labels)
    rows = [*wrong, *right[balanced(test.labels[right], _RIGHT, 0)]]
    found = Mistakes([], {}, folder="heat_maps")
    if not rows:
        return found
    pixels = test.images[rows]
    for row, picture, cam in zip(
        rows, pixels, grad_cam(model, input_spec.normalise(pixels)), strict=True
    ):
        label, answer = classes[test.labels[row]], classes[predicted[row]]
        note = f"{label}, predicted correctly" if label == answer else f"{label} → {answer}"
        drawn = shown(picture, cam, heat_map(file, picture))
        found.add(test.names[row], np.asarray(drawn), note=note, title=_TITLE)
    return found
