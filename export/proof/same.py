"""Two forms of one network compute the same."""

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.outputs import side_by_side
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

_CHUNK = 256  # pictures whose outputs are in memory at once


def require_same_outputs(expected: bytes, found: bytes, pictures: np.ndarray, cause: str) -> None:
    """Run two `.tflite` with LiteRT, as phones do, and compare their outputs bit for bit.

    Args:
        expected: A file with metadata.
        found: Another form of it.
        pictures: uint8 (N, h, w, c) at the size of the input.
        cause: What errors name as the cause of a difference.

    Raises:
        UserError: An output differs, or LiteRT cannot run a file.
    """
    models, different = [TFLiteModel(expected), TFLiteModel(found)], 0
    for start in range(0, len(pictures), _CHUNK):
        few = pictures[start : start + _CHUNK]
        left, right = (side_by_side(model.run_raw(few)) for model in models)
        different += int((left != right).any(axis=1).sum())
    if different:
        raise UserError(
            f"{cause} changes the outputs of {different} of {len(pictures)} pictures in LiteRT on "
            "this machine, and must change none, so nothing is written."
        )
