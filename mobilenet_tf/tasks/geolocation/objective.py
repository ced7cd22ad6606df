"""Training for places: the cross-entropy of cells."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mobilenet_tf.datasets.pipeline import Moves
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy


@dataclass(frozen=True)
class CellEntropy(CrossEntropy):
    """Cross-entropy of a softmax over cells; labels are (N, 3) as in `Geolocation`."""

    def check(self, labels: np.ndarray) -> None:
        """Reject cells that the network does not have."""
        super().check(_cells(labels))

    def targets(self, labels: tf.Tensor, moves: Moves | None) -> tf.Tensor:
        """Return one-hot vectors of the cells, float32 (N, classes)."""
        return super().targets(tf.cast(labels[:, 2], tf.int32), moves)

    def class_weights(self, labels: np.ndarray) -> np.ndarray:
        """Return the inverse frequency of each cell, scaled."""
        return super().class_weights(_cells(labels))


def _cells(labels: np.ndarray) -> np.ndarray:
    return labels[:, 2].astype(np.int64)
