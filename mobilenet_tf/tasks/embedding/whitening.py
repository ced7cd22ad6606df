"""Features -> vectors without training: within-class covariance normalization (WCCN).

Directions in which pictures of one class differ, such as skin or light, count less afterwards. This
carries over to classes that were never trained (Hatch, Kajarekar and Stolcke, Interspeech 2006).
"""

import numpy as np

_SHRINKAGE = 0.5  # of the covariance towards a multiple of the identity


def projection(features: np.ndarray, labels: np.ndarray, dimension: int) -> np.ndarray:
    """Return a matrix that features are multiplied with, float32 (F, dimension).

    The first columns have the largest variance of all classes together. Where there are fewer
    features than `dimension`, the last columns are 0.

    Args:
        features: (N, F).
        labels: (N,).
        dimension: Length of the vectors.
    """
    features = features.astype(np.float64)
    within = np.concatenate(
        [
            features[labels == label] - features[labels == label].mean(axis=0)
            for label in set(labels)
        ]
    )
    covariance = within.T @ within / len(within)
    values, axes = np.linalg.eigh(covariance)
    values = (1 - _SHRINKAGE) * values + _SHRINKAGE * max(values.mean(), np.finfo(float).tiny)
    whitened = axes / np.sqrt(values)
    _, main = np.linalg.eigh(np.cov(features @ whitened, rowvar=False))
    found = whitened @ main[:, ::-1][:, :dimension]
    return np.pad(found, ((0, 0), (0, dimension - found.shape[1]))).astype(np.float32)
