"""`predict`: the most likely classes of images. Needs no TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tf.deployment.proof import evaluate as proof


def predict(file: str | Path, images: Sequence[str | Path], *, top: int = 3) -> dict[str, Any]:
    """Classify images with a `.tflite`.

    Args:
        file: The `.tflite`.
        images: Image files.
        top: Number of classes per image.

    Returns:
        {"file", "predictions": [{"image", "classes": [{"label", "score"}]}], "failed": [{"image",
        "reason"}]}: images that cannot be read do not keep the others from being classified.

    Raises:
        UserError: The file cannot be read, or none of the images can.
    """
    return proof.predict(file, images, top)
