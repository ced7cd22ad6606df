"""Whether a model of somebody else has the classes in the order of the data."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.dataset import Split

# Another order must explain the images well, and far better than the given one.
_WELL, _BETTER = 0.75, 0.3
_IMAGES_PER_CLASS = 2
ORDER_IMAGES = 300  # on which a model's order is checked: training images, of which there are most
_AT_ONCE = 64


def order_images(classes: int) -> int:
    """Return on how many images the order of so many classes is checked."""
    return max(ORDER_IMAGES, _IMAGES_PER_CLASS * classes)


def require_model_order(
    predict: Callable[[np.ndarray], Any],
    images: Split,
    classes: Sequence[str],
    name: str,
    remedy: str,
) -> None:
    """Reject a model as `require_order` does, by its scores for some images.

    Args:
        predict: Returns scores (N, classes) for uint8 pixels (N, height, width, channels).
        images: Labelled images at the size of its input.
        classes: See `require_order`, as for the two below.
        name: See above.
        remedy: See above.

    Raises:
        UserError: Another order scores far better.
    """
    starts = range(0, len(images), _AT_ONCE)
    scores = [np.asarray(predict(images.images[start : start + _AT_ONCE])) for start in starts]
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (images.labels, np.concatenate(scores).argmax(axis=1)), 1)
    require_order(confusion, classes, name, remedy)


def require_order(confusion: Any, classes: Sequence[str], name: str, remedy: str) -> None:
    """Reject a model whose outputs fit the images far better in another order of the classes.

    Nothing is said about classes of which there are hardly any images.

    Args:
        confusion: (classes, classes) numbers of images; rows are true classes, columns outputs.
        classes: Class names of the data.
        name: What errors call the model.
        remedy: What the user can do.

    Raises:
        UserError: Another order scores far better.
    """
    counts = np.asarray(confusion)
    if counts.sum(axis=1).min() < _IMAGES_PER_CLASS:
        return
    total = counts.sum()
    given = np.trace(counts) / total
    outputs = likeliest_outputs(counts)
    best = counts[np.arange(len(counts)), outputs].sum() / total
    if best < _WELL or best - given < _BETTER:
        return
    order = ", ".join(classes[index][:40] for index in np.argsort(outputs)[:20])
    raise UserError(
        f"{name} seems to have its classes in another order than the data: of {total:,} images it "
        f"predicts {given:.0%} in the order of the data, and {best:.0%} in this one: {order}. "
        f"{remedy}"
    )


def likeliest_outputs(counts: np.ndarray) -> np.ndarray:
    """Return an output for each true class, each once: the pairs with the most images first.

    No other order has more images where each class has an output of its own that most of its
    images go to; else the best may have a few more.
    """
    left, outputs = counts.astype(float), np.zeros(len(counts), int)
    for _ in counts:
        true, output = np.unravel_index(left.argmax(), left.shape)
        outputs[true] = output
        left[true], left[:, output] = -1, -1
    return outputs
