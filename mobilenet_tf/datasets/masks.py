"""Masks: pictures whose pixels are the classes of those of another picture."""

import numpy as np
from PIL import Image

from mobilenet_tf.core.inputs import InputSpec

IGNORED = 255  # a pixel that belongs to no class


def prepared_mask(mask: Image.Image, input_spec: InputSpec) -> np.ndarray:
    """Cut and resize a mask as `images.prepare` does its picture, each pixel with one value.

    Args:
        mask: Upright image of one byte per pixel, and of the shape of its picture.
        input_spec: Input that the mask is for.

    Returns:
        uint8 (height, width) of the input; `IGNORED` in its padding.
    """
    placement = input_spec.placement(mask.width, mask.height)
    left, top, right, bottom = placement.target
    part = mask.crop(placement.source)
    part = part.resize((right - left, bottom - top), Image.Resampling.NEAREST)
    prepared = np.full((input_spec.height, input_spec.width), IGNORED, np.uint8)
    prepared[top:bottom, left:right] = np.asarray(part)
    return prepared
