"""Resize 8-bit pictures, exactly as the app, the web page and C do.

Pillow's filters weigh all pixels that a new one covers: rows first, then columns, each rounded to
integers. For `bilinear`, tests/datasets/test_prepare.py has it in integer arithmetic.

`mediapipe` is what MediaPipe Tasks does on a CPU, measured with version 1.2.3: new pixel x of n
lies at x * side / n of the old ones, so that the first pixels coincide, and not the picture's
edges. This is rounded to 1/32 of a pixel, a half to the even step. The new pixel is interpolated
between the four old ones around it, whatever else it covers, and rounded once. The real library
rounds halves either way, because its positions are floating-point numbers; halves occur only where
the input's side is a multiple of 64.
"""

import numpy as np
from PIL import Image

_STEPS = 32  # positions within a pixel


def resized(image: Image.Image, size: tuple[int, int], resize: str) -> Image.Image:
    """Resize an image of mode L or RGB.

    Args:
        image: The image.
        size: (width, height) in pixels.
        resize: One of `core.inputs.RESIZES`.
    """
    if resize == "mediapipe":
        return Image.fromarray(_interpolated(np.asarray(image), size))
    # In one direction after the other, because Pillow 13 chooses the order of its two passes, and
    # so the rounding, by the shape of the image.
    method = Image.Resampling[resize.upper()]
    return image.resize((size[0], image.height), method).resize(size, method)


def _interpolated(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    sums = _weighted(_weighted(pixels, height, 0), width, 1)
    return ((sums + _STEPS**2 // 2) // _STEPS**2).astype(np.uint8)


def _weighted(values: np.ndarray, side: int, axis: int) -> np.ndarray:
    """Interpolate along an axis; return the values times `_STEPS`."""
    old = values.shape[axis]
    steps, rest = np.divmod(np.arange(side) * old * _STEPS, side)
    steps += (2 * rest > side) | ((2 * rest == side) & (steps % 2 == 1))
    first, part = np.divmod(steps, _STEPS)
    first = np.minimum(first, old - 1)
    second = np.minimum(first + 1, old - 1)
    part = part.reshape([-1 if axis == at else 1 for at in range(values.ndim)])
    return values.take(first, axis) * (_STEPS - part) + values.take(second, axis) * part
