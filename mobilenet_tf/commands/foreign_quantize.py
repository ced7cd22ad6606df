"""A loaded model of somebody else -> int8 file, in the child process that holds it.

Where its layers have a deploy form, the model is quantized as the project's own networks are. Any
other is left to TensorFlow's converter, which has more kinds of layers and rounds less accurately.
"""

from dataclasses import dataclass, replace
from math import floor
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.flat_form import flat_form
from mobilenet_tf.compression.post_training.quantize import quantize_after_training
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.convert import convert

_CHECKED = 8  # images for which the deploy form has to compute what the model computes
_TOLERANCE = 1e-3  # of the largest score; float32 in another order makes less than a tenth of it


@dataclass(frozen=True, eq=False)
class Quantized:
    """The file, without metadata.

    Attributes:
        content: The file.
        model: The quantized network that it was converted from; None where TensorFlow's converter
            quantized.
        reason: Why it did.
    """

    content: bytes
    model: keras.Model | None = None
    reason: str | None = None


def quantize_foreign(
    model: Any,
    io: str,
    images: np.ndarray,
    input_spec: InputSpec,
    per_tensor: bool = False,
    settings: PostTraining = PostTraining(),  # noqa: B008  frozen
) -> Quantized:
    """Quantize a model of tf_keras or Keras 3 after training.

    Args:
        model: The model, see `ForeignModel.load_classifier`.
        io: Type of the file's input and output.
        images: (N, h, w, c) float32, normalised, to calibrate with.
        input_spec: Preprocessing; the file's mean is the integer nearest to its.
        per_tensor: Whether a kernel has one scale in all, or one per output channel.
        settings: The methods of rounding.

    Raises:
        UserError: The model has no deploy form, and other settings than the default are asked for.
    """
    try:
        deployed = _deployed(model, images[:_CHECKED])
    except UserError as error:
        if per_tensor or settings != PostTraining():
            raise UserError(
                f"--per-tensor and --set need layers that have a deploy form. {error}"
            ) from error
        return Quantized(convert(model, io, images), reason=str(error))
    # A range that begins at an integer; with the pixel 0 between two, it would be rounded up.
    spec = replace(input_spec, mean=floor(input_spec.mean + 0.5))
    rounded = quantize_after_training(deployed, images, spec, not per_tensor, settings)
    return Quantized(convert(rounded, io), rounded)


def _deployed(model: Any, images: np.ndarray) -> keras.Model:
    """Return the deploy form of a model, if it computes the same.

    Raises:
        UserError: There is none.
    """
    deployed = deploy_form(flat_form(model))
    expected, found = (np.asarray(one(images, training=False)) for one in (model, deployed))
    distance = np.abs(found - expected).max()
    if not distance <= _TOLERANCE * np.abs(expected).max():  # NaN too
        raise UserError(f"The deploy form computes other scores, which differ by {distance:.3g}.")
    return deployed
