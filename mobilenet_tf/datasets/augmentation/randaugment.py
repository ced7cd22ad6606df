"""RandAugment (arXiv 1909.13719): a few changes out of fourteen, all of one magnitude.

Those that move pixels or scale colours become factors of what augmentation does anyway; the
others are `PIXEL_OPERATIONS`. Ranges are torchvision's, for a magnitude of 10.
"""

from typing import NamedTuple

import numpy as np

# 0 is "as it is"; sharpness, which goes both ways, is there twice.
PIXEL_OPERATIONS = (
    "identity",
    "autocontrast",
    "equalize",
    "solarize",
    "posterize",
    "sharpen",
    "blur",
)

_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_COLOURS = ("brightness", "contrast", "saturation")
_OTHERS = ("identity", "autocontrast", "equalize", "solarize", "posterize", "sharpness")
OPERATIONS = _GEOMETRY + _COLOURS + _OTHERS

_ROTATE, _SHEAR, _TRANSLATE, _FACTOR = np.deg2rad(30.0), 0.3, 150 / 331, 0.9


class Drawn(NamedTuple):
    """What was drawn for N pictures.

    Attributes:
        warps: (N, 8): output pixel -> output pixel, as in `Changes.transforms`.
        factors: (3, N): of brightness, contrast and saturation.
        operations: float32 (N, rounds): numbers of `PIXEL_OPERATIONS`.
    """

    warps: np.ndarray
    factors: np.ndarray
    operations: np.ndarray


def draw_operations(
    random: np.random.Generator, count: int, rounds: int, magnitude: float, size: int
) -> Drawn:
    """`rounds` operations for each of `count` pictures of side `size`; all alike likely."""
    warps = np.tile(np.eye(3), (count, 1, 1))
    factors = np.ones((3, count))
    operations = np.zeros((count, rounds), np.float32)
    for place in range(rounds):
        chosen = random.integers(len(OPERATIONS), size=count)
        signed = magnitude / 10 * random.choice((-1.0, 1.0), count)
        for row, (index, strength) in enumerate(zip(chosen, signed, strict=True)):
            name = OPERATIONS[index]
            if name in _GEOMETRY:
                warps[row] = _warp(name, strength, size) @ warps[row]
            elif name in _COLOURS:
                factors[_COLOURS.index(name), row] *= 1 + _FACTOR * strength
            else:
                if name == "sharpness":
                    name = "sharpen" if strength > 0 else "blur"
                operations[row, place] = PIXEL_OPERATIONS.index(name)
    return Drawn(warps.reshape(count, 9)[:, :8], factors, operations)


def _warp(name: str, strength: float, size: int) -> np.ndarray:
    """3x3, about the picture's middle."""
    linear, shift = np.eye(3), np.eye(3)
    if name == "rotate":
        angle = _ROTATE * strength
        linear[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    elif name.startswith("shear"):
        linear[(0, 1) if name == "shear_x" else (1, 0)] = _SHEAR * strength
    else:
        linear[0 if name == "translate_x" else 1, 2] = _TRANSLATE * size * strength
    shift[:2, 2] = (size - 1) / 2
    return shift @ linear @ np.linalg.inv(shift)


def apply_operations(pictures, operations, magnitude: float):
    """Pixel operations in turn.

    Args:
        pictures: float32 tensor (N, h, w, c), 0 to 255.
        operations: float32 tensor (N, rounds).
        magnitude: 0 to 10.

    Returns:
        A tensor like `pictures`.
    """
    import tensorflow as tf

    levels = 2.0 ** round(4 * magnitude / 10)
    bend = 255 * (1 - magnitude / 10)
    factor = _FACTOR * magnitude / 10

    def autocontrast(picture):
        low, high = tf.reduce_min(picture, (0, 1)), tf.reduce_max(picture, (0, 1))
        return tf.where(high > low, (picture - low) * (255 / tf.maximum(high - low, 1e-3)), picture)

    def equalize(picture):
        """Each channel's histogram becomes flat, in Pillow's integers."""

        def channel(values):
            greys = tf.cast(values, tf.int32)
            counts = tf.math.bincount(greys, minlength=256, maxlength=256)
            step = (tf.size(greys) - counts[tf.reduce_max(greys)]) // 255
            table = (tf.cumsum(counts, exclusive=True) + step // 2) // tf.maximum(step, 1)
            return tf.where(step > 0, tf.cast(tf.gather(table, greys), tf.float32), values)

        flat = tf.unstack(tf.reshape(picture, (-1, picture.shape[-1])), axis=1)
        return tf.reshape(tf.stack([channel(values) for values in flat], 1), picture.shape)

    def smooth(picture):
        kernel = tf.constant([[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32) / 13
        kernel = tf.tile(kernel[:, :, tf.newaxis, tf.newaxis], (1, 1, picture.shape[-1], 1))
        padded = tf.pad(picture[tf.newaxis], ((0, 0), (1, 1), (1, 1), (0, 0)), "SYMMETRIC")
        return tf.nn.depthwise_conv2d(padded, kernel, (1, 1, 1, 1), "VALID")[0]

    functions = {
        "identity": lambda picture: picture,
        "autocontrast": autocontrast,
        "equalize": equalize,
        "solarize": lambda picture: tf.where(picture < bend, picture, 255 - picture),
        "posterize": lambda picture: tf.floor(picture / levels) * levels,
        "sharpen": lambda picture: picture + factor * (picture - smooth(picture)),
        "blur": lambda picture: picture - factor * (picture - smooth(picture)),
    }
    shape = pictures.shape[1:]

    def change(item):
        picture, numbers = item
        for number in tf.unstack(tf.cast(numbers, tf.int32)):
            branches = [
                lambda name=name, picture=picture: tf.ensure_shape(functions[name](picture), shape)
                for name in PIXEL_OPERATIONS
            ]
            picture = tf.clip_by_value(tf.switch_case(number, branches), 0.0, 255.0)
        return picture

    return tf.map_fn(change, (pictures, operations), fn_output_signature=tf.float32)
