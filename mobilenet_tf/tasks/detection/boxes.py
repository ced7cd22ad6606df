"""Geometry of boxes: overlap, suppression of duplicates, and offsets from anchors.

Boxes are (..., 4) edges: left, top, right, bottom, in shares of the picture or any other unit.
"""

import numpy as np

# Offsets are learned in these units: of centres, and of logarithms of sides (SSD, 2.2; TensorFlow's
# Object Detection API has them as the scales 10, 10, 5, 5 of its box coder).
CENTRE_UNIT, SIDE_UNIT = 0.1, 0.2
LARGEST_SIDE = 4.0  # logarithm of a box's side over its anchor's, so that exp stays finite


def overlaps(boxes: np.ndarray, others: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
    """Return the intersection over union of each box with each other one.

    Args:
        boxes: (M, 4) edges.
        others: (N, 4) edges.
        crowd: bool (N,): others that are regions of many objects, with which a box overlaps by the
            share of the box that lies inside (COCO).

    Returns:
        (M, N); 0 where both have no area.
    """
    # Edge by edge: NumPy is several times slower along a last axis of two.
    left, top, right, bottom = boxes.T[..., np.newaxis]
    width = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    height = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    inside = np.maximum(width, 0) * np.maximum(height, 0)
    own, other = areas(boxes)[:, np.newaxis], areas(others)[np.newaxis]
    union = own + other - inside
    if crowd is not None:
        union = np.where(crowd, own, union)
    return np.divide(inside, union, out=np.zeros_like(inside), where=union > 0)


def areas(boxes: np.ndarray) -> np.ndarray:
    """Return the areas of boxes (..., 4)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def suppress(boxes: np.ndarray, classes: np.ndarray, overlap: float, most: int) -> np.ndarray:
    """Greedy non-maximum suppression within each class.

    Args:
        boxes: (N, 4) edges, the likeliest first.
        classes: int (N,).
        overlap: Intersection over union above which the less likely of two boxes is dropped.
        most: Number of boxes after which to stop.

    Returns:
        Indices of the boxes that remain, in order.
    """
    duplicate = (overlaps(boxes, boxes) > overlap) & (classes[:, np.newaxis] == classes)
    alive = np.ones(len(boxes), bool)
    kept: list[int] = []
    for index in range(len(boxes)):
        if alive[index]:
            kept.append(index)
            alive &= ~duplicate[index]
            if len(kept) == most:
                break
    return np.array(kept, int)


def from_offsets(offsets: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the boxes that offsets describe (SSD, equation 2).

    Args:
        offsets: (..., A, 4): y and x of the centre from that of the anchor in units of 0.1 of its
            sides, logarithms of height and width over the anchor's in units of 0.2. This order is
            that of TensorFlow Lite's operator for post-processing.
        anchors: (A, 4) edges.

    Returns:
        Edges of the dtype of `offsets`; they may lie outside the picture.
    """
    y, x, height, width = (offsets[..., index] for index in range(4))
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = anchors[:, :2] + sides / 2
    x = x * CENTRE_UNIT * sides[:, 0] + centres[:, 0]
    y = y * CENTRE_UNIT * sides[:, 1] + centres[:, 1]
    half_width = np.exp(np.minimum(width * SIDE_UNIT, LARGEST_SIDE)) * sides[:, 0] / 2
    half_height = np.exp(np.minimum(height * SIDE_UNIT, LARGEST_SIDE)) * sides[:, 1] / 2
    edges = (x - half_width, y - half_height, x + half_width, y + half_height)
    return np.stack(edges, axis=-1).astype(offsets.dtype)
