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
        {"file", "predictions": [{"image", "classes": [{"label", "score"}]}]}.

    Raises:
        UserError: The file or an image cannot be read.
    """
    return proof.predict(file, images, top)
