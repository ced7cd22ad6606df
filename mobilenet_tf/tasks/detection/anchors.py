"""Anchors: the boxes from which a detector's outputs are offsets, and their sizes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Sizes = tuple[tuple[tuple[float, float], ...], ...]  # (width, height) of each anchor, by map

SMALLEST, LARGEST = 0.2, 0.95  # scales of the first and the last map
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
_FIRST = ((0.1, 1.0), (SMALLEST, 2.0), (SMALLEST, 0.5))  # scale and ratio on the first map
_PASSES = 100  # of k-means at most


def paper_sizes(maps: int) -> Sizes:
    """Return the sizes of SSD (2.2) as TensorFlow's Object Detection API chooses them.

    Scales rise linearly from 0.2 to 0.95 over the maps. Each map has the aspect ratios 1, 2, 1/2,
    3, 1/3, and 1 again at the geometric mean of its scale and the next; the first map has three
    anchors, the smallest of half its scale.

    Args:
        maps: Number of feature maps.
    """
    scales = [*np.linspace(SMALLEST, LARGEST, maps), 1.0]
    sizes = [_sides(_FIRST)]
    for scale, following in pairwise(scales[1:]):
        between = float(np.sqrt(scale * following))
        sizes.append(_sides([*((scale, ratio) for ratio in _RATIOS), (between, 1.0)]))
    return tuple(sizes)


def _sides(scales: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(s * np.sqrt(r)), float(s / np.sqrt(r))) for s, r in scales)


def sizes_of(boxes: np.ndarray, maps: int, per_map: int) -> Sizes:
    """Choose sizes from a dataset's own boxes, by k-means with 1 - IoU as distance (YOLOv2, 2).

    Args:
        boxes: (N, 2) widths and heights, N of at least 1.
        maps: Number of feature maps; the smallest anchors belong to the first.
        per_map: Number of anchors per pixel of a map.
    """
    boxes = np.asarray(boxes, np.float64)
    boxes = boxes[np.argsort(boxes.prod(axis=1), kind="stable")]
    count = maps * per_map
    # Start from boxes of evenly spread rank by area: no chance, and every size has its share.
    ranks = np.round(np.linspace(0, len(boxes) - 1, 2 * count + 1)[1::2]).astype(int)
    centres, members = boxes[ranks], None
    for _ in range(_PASSES):
        nearest = _concentric_overlaps(boxes, centres).argmax(axis=1)
        if members is not None and (nearest == members).all():
            break
        members = nearest
        for index in np.unique(members):
            centres[index] = np.median(boxes[members == index], axis=0)
    centres = centres[np.argsort(centres.prod(axis=1), kind="stable")]
    rounded = [(round(float(width), 4), round(float(height), 4)) for width, height in centres]
    return tuple(tuple(rounded[start : start + per_map]) for start in range(0, count, per_map))


def _concentric_overlaps(sides: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the IoU of boxes (M, 2) with others (N, 2) of the same centre."""
    inside = np.minimum(sides[:, np.newaxis], others[np.newaxis]).prod(axis=2)
    return inside / (sides.prod(axis=1)[:, np.newaxis] + others.prod(axis=1) - inside)


def anchor_boxes(maps: Sequence[tuple[int, int]], sizes: Sizes) -> np.ndarray:
    """Return the anchors of feature maps, centred on their pixels.

    Args:
        maps: (height, width) of each map.
        sizes: Sizes of the anchors of each map.

    Returns:
        float32 (A, 4) edges in shares of the picture, row by row, pixel by pixel; the anchors of a
        pixel follow each other.
    """
    found = []
    for (height, width), anchors in zip(maps, sizes, strict=True):
        y, x = (np.arange(side) + 0.5 for side in (height, width))
        centres = np.stack(np.meshgrid(x / width, y / height), axis=-1)[:, :, np.newaxis]
        half = np.array(anchors) / 2
        found.append(np.concatenate([centres - half, centres + half], axis=-1).reshape(-1, 4))
    return np.concatenate(found).astype(np.float32)
