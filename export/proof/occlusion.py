"""Heat maps of a file by occlusion (Zeiler and Fergus, 2014, section 4.2). Needs no TensorFlow.

A square of the input is covered with the picture's mean colour, at every place of a grid. Where the
score of the first class drops, the file saw it there.
"""

import numpy as np
from PIL import Image

from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

_STEPS = 14  # of the grid along each side
_WINDOW = 3  # side of a square, in steps
_SHOWN = 224  # pixels of the shorter side, at least
_HOT = np.array((220, 30, 30))
_STRONGEST = 0.75  # share of red where the drop is the largest


def heat_map(model: TFLiteModel, pixels: np.ndarray) -> np.ndarray:
    """Return by how much covering a place lowers the score of the first class.

    Args:
        model: A file with one score per class.
        pixels: A picture, uint8 (height, width, channels).

    Returns:
        float64 (height, width): for each pixel the mean drop over the squares that cover it.
    """
    height, width = pixels.shape[:2]
    edges = [np.linspace(0, side, _STEPS + 1).round().astype(int) for side in (height, width)]
    places = [
        (
            slice(edges[0][row], edges[0][row + _WINDOW]),
            slice(edges[1][column], edges[1][column + _WINDOW]),
        )
        for row in range(_STEPS - _WINDOW + 1)
        for column in range(_STEPS - _WINDOW + 1)
    ]
    copies = np.repeat(pixels[None], len(places) + 1, axis=0)
    for copy, place in zip(copies[1:], places, strict=True):
        copy[place] = pixels.mean(axis=(0, 1)).round()
    scores = np.asarray(model.real(model.run_raw(copies)), np.float64)
    first = scores[0].argmax()
    drops = np.zeros((height, width))
    covered = np.zeros((height, width))
    for place, score in zip(places, scores[1:, first], strict=True):
        drops[place] += scores[0, first] - score
        covered[place] += 1
    return drops / np.maximum(covered, 1)


def shown(pixels: np.ndarray, *maps: np.ndarray) -> Image.Image:
    """Return a picture beside its heat maps, in each of which the largest value is the reddest.

    Args:
        pixels: uint8 (height, width, channels), of 1 or 3 channels.
        maps: (height, width) each, as from `heat_map`; places below 0 are not coloured.
    """
    picture = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).astype(np.float64)
    panels = [picture]
    for heat in (np.maximum(one, 0) for one in maps):
        share = (_STRONGEST * heat / (heat.max() or 1))[..., None]
        panels.append(picture * (1 - share) + _HOT * share)
    drawn = Image.fromarray(np.concatenate(panels, axis=1).round().astype(np.uint8))
    factor = max(1, -(-_SHOWN // min(pixels.shape[:2])))
    return drawn.resize((drawn.width * factor, drawn.height * factor), Image.Resampling.NEAREST)
