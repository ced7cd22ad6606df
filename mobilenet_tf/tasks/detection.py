"""Object detection: boxes with a class each, by SSDLite."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import number
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.ssdlite import Structure, spread, ssdlite
from mobilenet_tf.tasks.boxes_anchors import Sizes, anchor_boxes, paper_sizes, sizes_of
from mobilenet_tf.tasks.task import Task

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective

Outputs = tuple[np.ndarray, ...]
# Average precision counts boxes of lower scores, too, down to this one.
LEAST_SCORE = 0.01


@dataclass(frozen=True)
class Detection(Structure, Task):
    """Boxes with a class each.

    Labels are float32 (N, most, 6): left, top, right, bottom in shares of the stored picture, the
    class (-1 pads), and 1 for a region that is neither to be found nor to be missed. Outputs are
    those of SSDLite: per feature map offsets (N, height, width, anchors * 4) and logits (N, height,
    width, anchors * classes).

    Attributes:
        clusters: Number of anchors that training chooses from the data's own boxes, by k-means; 0
            for the papers' anchors.
        anchors: Width and height of each of these anchors, as shares of the picture, the smallest
            first; training writes them.
        overlap: Intersection over union of two boxes of one class above which the less likely is
            dropped.
        score: Smallest score of the boxes that `predict` shows.
        most: Largest number of boxes per picture.
    """

    clusters: int = number(9, least=0, most=64)
    anchors: tuple[tuple[float, float], ...] = ()
    overlap: float = number(0.6, above=0, most=1)
    score: float = number(0.3, above=0, below=1)
    most: int = number(100, least=1, most=400)

    name: ClassVar[str] = "detection"
    noun: ClassVar[str] = "object detector"
    use: ClassVar[str] = "Finding objects of the classes below, with a box around each"
    limits: ClassVar[tuple[str, ...]] = (
        "It finds objects of sizes and shapes like those that it was trained on; very small ones, "
        "and some of several that overlap, are missed.",
        "Its scores are not calibrated probabilities.",
    )
    agreed: ClassVar[str] = "same class of an anchor in file and network"
    curve: ClassVar[str] = "loss"
    shares: ClassVar[tuple[str, ...]] = ("ap50", "ap", "ap75")
    details: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = tuple(tuple(map(float, one)) for one in self.anchors)  # TOML has lists
        if not all(len(one) == 2 and all(0 < side <= 1 for side in one) for one in sizes):
            raise UserError("anchors must be pairs of width and height, above 0 and at most 1.")
        object.__setattr__(self, "anchors", sizes)

    def fitted(self, labels: np.ndarray) -> "Detection":
        """Return this task with anchors of the sizes of labelled boxes."""
        boxes = labels[labels[..., 4] >= 0]
        if not self.clusters or not len(boxes):
            return self
        sides = np.clip(boxes[:, 2:4] - boxes[:, :2], 1e-3, 1)
        (sizes,) = sizes_of(sides, 1, self.clusters)
        return replace(self, anchors=sizes)

    def sizes(self, maps: int) -> Sizes:
        """Return the anchors of each of so many feature maps."""
        if not self.anchors:
            return paper_sizes(maps)
        rest = iter(self.anchors)
        return tuple(
            tuple(next(rest) for _ in range(count)) for count in spread(len(self.anchors), maps)
        )

    def with_head(self, network: Network, classes: int) -> Network:
        """Return an SSDLite detector on the network's backbone."""
        return ssdlite(network, classes, self, len(self.anchors) or None)

    def objective(self, network: Network) -> "Objective":
        """Return focal loss and smooth L1 of the network's anchors."""
        from mobilenet_tf.networks.lower import lower
        from mobilenet_tf.tasks.boxes_focal import BoxFocal

        maps = [op.shape[:2] for op in lower(network).outputs[0::2]]
        anchors = anchor_boxes(maps, self.sizes(len(maps)))
        return BoxFocal(network.classes, anchors, self.background)
