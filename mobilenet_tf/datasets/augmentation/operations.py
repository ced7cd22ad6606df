"""Apply RandAugment's operations on pixels to a batch, in TensorFlow."""

import tensorflow as tf

from mobilenet_tf.datasets.augmentation.randaugment import FACTOR, PIXEL_OPERATIONS


def apply_operations(images: tf.Tensor, operations: tf.Tensor, magnitude: float) -> tf.Tensor:
    """Apply each image's operations one after the other.

    Args:
        images: float32 tensor (N, height, width, channels) of pixels from 0 to 255.
        operations: float32 tensor (N, rounds) of indices into `PIXEL_OPERATIONS`.
        magnitude: Strength of every operation, from 0 to 10.

    Returns:
        A tensor like `images`.
    """
    levels = 2.0 ** round(4 * magnitude / 10)
    threshold = 255 * (1 - magnitude / 10)
    factor = FACTOR * magnitude / 10
    functions = {
        "identity": lambda image: image,
        "autocontrast": _autocontrast,
        "equalize": _equalize,
        "solarize": lambda image: tf.where(image < threshold, image, 255 - image),
        "posterize": lambda image: tf.floor(image / levels) * levels,
        "sharpen": lambda image: image + factor * (image - _smooth(image)),
        "blur": lambda image: image - factor * (image - _smooth(image)),
    }
    shape = images.shape[1:]

    def change(item: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        image, indices = item
        for index in tf.unstack(tf.cast(indices, tf.int32)):
            branches = [
                lambda name=name, image=image: tf.ensure_shape(functions[name](image), shape)
                for name in PIXEL_OPERATIONS
            ]
            image = tf.clip_by_value(tf.switch_case(index, branches), 0.0, 255.0)
        return image

    return tf.map_fn(change, (images, operations), fn_output_signature=tf.float32)


def _autocontrast(image: tf.Tensor) -> tf.Tensor:
    low, high = tf.reduce_min(image, (0, 1)), tf.reduce_max(image, (0, 1))
    return tf.where(high > low, (image - low) * (255 / tf.maximum(high - low, 1e-3)), image)


def _equalize(image: tf.Tensor) -> tf.Tensor:
    """Flatten the histogram of each channel, in Pillow's integer arithmetic."""

    def channel(values: tf.Tensor) -> tf.Tensor:
        greys = tf.cast(values, tf.int32)
        counts = tf.math.bincount(greys, minlength=256, maxlength=256)
        step = (tf.size(greys) - counts[tf.reduce_max(greys)]) // 255
        table = (tf.cumsum(counts, exclusive=True) + step // 2) // tf.maximum(step, 1)
        return tf.where(step > 0, tf.cast(tf.gather(table, greys), tf.float32), values)

    flat = tf.unstack(tf.reshape(image, (-1, image.shape[-1])), axis=1)
    return tf.reshape(tf.stack([channel(values) for values in flat], 1), image.shape)


def _smooth(image: tf.Tensor) -> tf.Tensor:
    kernel = tf.constant([[1, 1, 1], [1, 5, 1], [1, 1, 1]], tf.float32) / 13
    kernel = tf.tile(kernel[:, :, tf.newaxis, tf.newaxis], (1, 1, image.shape[-1], 1))
    padded = tf.pad(image[tf.newaxis], ((0, 0), (1, 1), (1, 1), (0, 0)), "SYMMETRIC")
    return tf.nn.depthwise_conv2d(padded, kernel, (1, 1, 1, 1), "VALID")[0]
