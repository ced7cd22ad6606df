"""Load pictures with boxes from any source."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.dataset import Dataset, Progress, TestImages
from mobilenet_tf.datasets.labelled import Labelled, Placed, read_dataset, read_test
from mobilenet_tf.datasets.scenes import MOST, Scene, scene_dataset
from mobilenet_tf.datasets.sources.boxes import Annotations, Files, box_rows, labelled_boxes
from mobilenet_tf.datasets.sources.voc import read_voc

DIGITS = tuple("0123456789")
