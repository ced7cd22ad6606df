"""Embedding: a vector per picture, near those of the same class, seen in training or not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.settings import choice, number
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.networks.embed import LARGEST_DIMENSION, embedder
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.scores import finite
from mobilenet_tf.tasks.similarity import (
    check_pairs,
    retrieval,
    roc,
    split_pairs,
    threshold_at,
    true_accepts,
    unit,
    verification,
)
from mobilenet_tf.tasks.task import MISTAKES, Mistakes, Task

if TYPE_CHECKING:
    from mobilenet_tf.tasks.embedding_objective import EmbeddingObjective

# Margins of the papers: ArcFace, 3.1; CosFace, 4.1; FaceNet, 3.1.
_MARGINS = {"arcface": 0.5, "cosface": 0.35, "triplets": 0.2}
