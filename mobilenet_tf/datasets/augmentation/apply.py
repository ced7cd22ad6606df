"""`Changes` applied to a batch, in TensorFlow."""

import tensorflow as tf

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import Augmentation, Changes
from mobilenet_tf.datasets.augmentation.randaugment import apply_operations

# Rec. 601, as in Pillow's L.
_GREY = (0.299, 0.587, 0.114)


def change(
    pictures: tf.Tensor,
    changes: Changes,
    size: int,
    augmentation: Augmentation,
    preprocessing: InputSpec,
) -> tf.Tensor:
    """uint8 (N, side, side, c) -> changed, clipped, normalised float32 (N, size, size, c)."""
    pixels = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pictures, tf.float32),
        transforms=changes.transforms,
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    if augmentation.randaugment:
        pixels = apply_operations(pixels, changes.operations, augmentation.magnitude)
    # Brightness, contrast, saturation and normalisation are together one linear function of a
    # pixel, and fastest as one matrix product.
    mean, std = preprocessing.mean, preprocessing.std
    brightness, contrast, saturation = (
        factors[:, tf.newaxis, tf.newaxis] for factors in tf.unstack(changes.colours, axis=1)
    )
    if pixels.shape[-1] == 3:
        grey = tf.constant(_GREY)[:, tf.newaxis] * tf.ones((1, 3))
        matrix = saturation * tf.eye(3) + (1 - saturation) * grey
    else:
        matrix = tf.ones((1, 1, 1))
    flat = tf.reshape(pixels, (-1, size * size, pixels.shape[-1]))
    flat = flat @ (matrix * brightness * contrast / std) - contrast * mean / std
    flat = tf.clip_by_value(flat, (0 - mean) / std, (255 - mean) / std)
    pixels = tf.reshape(flat, (*pixels.shape[:1], size, size, pixels.shape[-1]))
    if augmentation.erase:
        pixels *= 1 - _inside(changes.erased, size)
    return pixels


def mix(
    pictures: tf.Tensor, labels: tf.Tensor, changes: Changes, augmentation: Augmentation
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixup and CutMix of a batch with itself in reverse order.

    Args:
        pictures: float32 (N, size, size, c).
        labels: float32 (N, classes).
    """
    if not augmentation.mixup and not augmentation.cutmix:
        return pictures, labels
    inside = _inside(changes.pasted, pictures.shape[1])
    own = changes.shares[:, :, tf.newaxis, tf.newaxis] * (1 - inside)
    pictures = own * pictures + (1 - own) * tf.reverse(pictures, (0,))
    own = tf.reduce_mean(own, (1, 2))
    return pictures, own * labels + (1 - own) * tf.reverse(labels, (0,))


def _inside(rectangles: tf.Tensor, size: int) -> tf.Tensor:
    """(N, 4) in pixels -> float32 (N, size, size, 1), 1 inside."""
    left, top, right, bottom = (edges[:, tf.newaxis] for edges in tf.unstack(rectangles, axis=1))
    at = tf.range(size, dtype=tf.float32)
    rows, columns = (at >= top) & (at < bottom), (at >= left) & (at < right)
    inside = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
    return tf.cast(inside, tf.float32)
