"""Apply drawn `Changes` to a batch, in TensorFlow."""

import tensorflow as tf

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.augmentation.draw import Augmentation, Changes
from mobilenet_tf.datasets.augmentation.operations import apply_operations

# Weights of red, green and blue in grey (ITU-R BT.601), as in Pillow's mode L.
_GREY = (0.299, 0.587, 0.114)
_FILLS = {"reflect": "REFLECT", "mean": "CONSTANT"}


def change(
    images: tf.Tensor, changes: Changes, augmentation: Augmentation, input_spec: InputSpec
) -> tf.Tensor:
    """Change, clip and normalise images; resampling is bilinear for every `InputSpec.resize`.

    Args:
        images: uint8 tensor (N, any height, any width, channels).
        changes: Changes that were drawn for these images.
        augmentation: Strengths that the changes were drawn with.
        input_spec: Input that the images are for.

    Returns:
        float32 tensor (N, height, width, channels).
    """
    height, width = input_spec.height, input_spec.width
    pixels = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=changes.transforms,
        output_shape=(height, width),
        fill_value=input_spec.mean,
        interpolation="BILINEAR",
        fill_mode=_FILLS[augmentation.fill],
    )
    if augmentation.randaugment:
        pixels = apply_operations(pixels, changes.operations, augmentation.magnitude)
    # Brightness, contrast, saturation and normalisation together are one linear function of a
    # pixel; a single matrix product is the fastest way to compute it.
    mean, std = input_spec.mean, input_spec.std
    brightness, contrast, saturation = (
        factors[:, tf.newaxis, tf.newaxis] for factors in tf.unstack(changes.colours, axis=1)
    )
    if pixels.shape[-1] == 3:
        grey = tf.constant(_GREY)[:, tf.newaxis] * tf.ones((1, 3))
        matrix = saturation * tf.eye(3) + (1 - saturation) * grey
    else:
        matrix = tf.ones((1, 1, 1))
    flat = tf.reshape(pixels, (-1, height * width, pixels.shape[-1]))
    flat = flat @ (matrix * brightness * contrast / std) - contrast * mean / std
    flat = tf.clip_by_value(flat, *input_spec.bounds)
    pixels = tf.reshape(flat, (*pixels.shape[:1], height, width, pixels.shape[-1]))
    if augmentation.erase:
        pixels *= 1 - _inside(changes.erased, height, width)
    return pixels


def mix(
    images: tf.Tensor, labels: tf.Tensor, changes: Changes, augmentation: Augmentation
) -> tuple[tf.Tensor, tf.Tensor]:
    """Apply mixup and CutMix; the partners are the images of the batch in reverse order.

    Args:
        images: float32 tensor (N, height, width, channels).
        labels: float32 tensor (N, classes), or (N, height, width, classes) for every pixel.
        changes: Changes that were drawn for these images.
        augmentation: Strengths that the changes were drawn with.

    Returns:
        Images and labels of the same shapes.
    """
    if not augmentation.mixup and not augmentation.cutmix:
        return images, labels
    inside = _inside(changes.pasted, images.shape[1], images.shape[2])
    own = changes.shares[:, :, tf.newaxis, tf.newaxis] * (1 - inside)
    images = own * images + (1 - own) * tf.reverse(images, (0,))
    if labels.shape.rank == 2:
        own = tf.reduce_mean(own, (1, 2))
    return images, own * labels + (1 - own) * tf.reverse(labels, (0,))


def _inside(rectangles: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Return float32 masks (N, height, width, 1) of rectangles (N, 4) in pixels: 1 inside."""
    left, top, right, bottom = (edges[:, tf.newaxis] for edges in tf.unstack(rectangles, axis=1))
    y, x = tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32)
    rows, columns = (y >= top) & (y < bottom), (x >= left) & (x < right)
    inside = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
    return tf.cast(inside, tf.float32)
