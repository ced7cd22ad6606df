"""Object detection: boxes with a class each, by SSDLite."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.ssdlite import Structure, spread, ssdlite
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.detection.anchors import Sizes, anchor_boxes, paper_sizes, sizes_of
from mobilenet_tf.tasks.detection.boxes import CENTRE_UNIT, SIDE_UNIT
from mobilenet_tf.tasks.detection.decoding import CANDIDATES, Found, Rules, decode
from mobilenet_tf.tasks.detection.errors import measure, objects, worst_pictures
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.words import rows_by_image
from mobilenet_tf.tasks.worst import Mistakes

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective

Outputs = tuple[np.ndarray, ...]
LEAST_SCORE = 0.01  # of the boxes that average precision counts
_CLASSIFIERS_ONLY = ("label_smoothing", "mixup", "cutmix", "class_weights")


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
        anchors: Width and height of the first of these anchors, of the second and so on, as shares
            of the picture, the smallest first; training writes them.
        overlap: Intersection over union of two boxes of one class above which the less likely is
            dropped.
        score: Smallest score of the boxes that `predict` shows.
        most: Largest number of boxes per picture.
    """

    clusters: int = number(9, least=0, most=64)
    anchors: tuple[float, ...] = ()
    overlap: float = number(0.6, above=0, most=1)
    score: float = number(0.3, above=0, below=1)
    most: int = number(100, least=1, most=400)

    name: ClassVar[str] = "detection"
    decoding: ClassVar[str] = "boxes"
    noun: ClassVar[str] = "object detector"
    use: ClassVar[str] = "Finding objects of the classes below, with a box around each"
    limits: ClassVar[tuple[str, ...]] = (
        "It finds objects of sizes and shapes like those that it was trained on; very small ones, "
        "and some of several that overlap, are missed.",
        "Its scores are not calibrated probabilities.",
    )
    agreed: ClassVar[str] = "same class, or none, found at an anchor by file and network"
    agree: ClassVar[str] = "find the same class, or none, at {} of the anchors"
    curve: ClassVar[str] = "anchor_recall"
    entries: ClassVar[str] = "boxes"
    columns: ClassVar[tuple[str, ...]] = ("label", "score", "box")
    recipe: ClassVar[str] = "detection"
    fits: ClassVar[tuple[str, ...]] = ("stretch", "pad")  # what lies at the edges counts, too
    shares: ClassVar[tuple[str, ...]] = ("ap50", "ap", "ap75")
    titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"ap50": "AP50", "ap": "AP", "ap75": "AP75"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.anchors) % 2 or not all(0 < side <= 1 for side in self.anchors):
            raise UserError(
                f"anchors is {list(self.anchors)}; it must be widths and heights in turn, each "
                "above 0 and at most 1."
            )

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits`, or pictures with boxes in one of the formats of `datasets.boxed`."""
        from mobilenet_tf.datasets.sources.annotations.load import load_boxes

        return load_boxes(source, input_spec, seed, progress, judge_depth, arrangement)

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the test images of such a source."""
        from mobilenet_tf.datasets.sources.annotations.load import load_test_boxes

        return load_test_boxes(source, labels, input_spec, seed, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of a source's classes."""
        from mobilenet_tf.datasets.sources.annotations.load import box_classes

        return box_classes(source)

    def listed(self, source: str) -> AbstractContextManager[Labelled]:
        """List the pictures of a folder with their boxes."""
        from mobilenet_tf.datasets.sources.annotations.load import list_boxes

        return nullcontext(list_boxes(source))

    def usual_input(self, source: str) -> tuple[int, int]:
        """Return the side of the digits' scenes, and about that of small detectors."""
        return (96, 3) if source == "digits" else (192, 3)

    def check_recipe(self, fields: Mapping[str, Any]) -> None:
        """Reject what mixes the labels of two pictures or of all classes."""
        for path, value in fields.items():
            if value and path.rpartition(".")[2] in _CLASSIFIERS_ONLY:
                raise UserError(f"{path} is {value}; it must be 0 or off for a detector.")

    def fitted(self, data: Dataset) -> "Detection":
        """Return this task with anchors of the sizes of the training pictures' boxes."""
        boxes = data.train.labels[data.train.labels[..., 4] >= 0]
        if self.anchors or not self.clusters or not len(boxes):
            return self
        sides = np.clip(boxes[:, 2:4] - boxes[:, :2], 1e-3, 1)
        (sizes,) = sizes_of(sides, 1, self.clusters)
        return replace(self, anchors=tuple(side for size in sizes for side in size))

    def with_head(self, network: Network, classes: int) -> Network:
        """Return an SSDLite detector on the network's backbone."""
        return ssdlite(network, classes, self, len(self.anchors) // 2 or None)

    def accepts(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Return whether there are boxes and scores of several maps."""
        return len(shapes) % 2 == 0 and all(len(shape) in (1, 3) for shape in shapes)

    def objective(self, network: Network) -> "Objective":
        """Return focal loss and smooth L1 of the network's anchors."""
        from mobilenet_tf.tasks.detection.objective import BoxFocal

        maps = [op.shape[:2] for op in lower(network).outputs[0::2]]
        anchors = anchor_boxes(maps, self.sizes(len(maps)))
        return BoxFocal(network.classes, anchors, self.background)

    def sizes(self, maps: int) -> Sizes:
        """Return the anchors of each of so many feature maps."""
        if not self.anchors:
            return paper_sizes(maps)
        rest = zip(self.anchors[0::2], self.anchors[1::2], strict=True)
        return tuple(tuple(islice(rest, count)) for count in spread(len(self.anchors) // 2, maps))

    def rules(self, maps: int) -> Rules:
        """Return how boxes are chosen, for a network with so many feature maps."""
        return Rules(self.sizes(maps), self.overlap, LEAST_SCORE, self.most, self.background)

    def found(self, outputs: Sequence[np.ndarray], classes: int, name: str) -> list[Found]:
        """Return the boxes in each picture, down to scores of 0.01.

        Raises:
            UserError: The outputs are not those of a detector with these anchors and classes.
        """
        maps = len(outputs) // 2
        counts = [len(sizes) for sizes in self.sizes(maps)]
        depths = [n * values for n in counts for values in (4, classes + self.background)]
        if [one.shape[-1] for one in outputs] != depths:
            raise UserError(
                f"{name} has outputs of {', '.join(str(one.shape[-1]) for one in outputs)} "
                f"channels; a detector of {classes} classes with these anchors has "
                f"{', '.join(map(str, depths))}."
            )
        if not all(np.isfinite(one).all() for one in outputs):
            raise UserError(f"{name} gives outputs that are not numbers (NaN or infinite).")
        return decode(outputs, self.rules(maps))

    def metrics(
        self,
        outputs: Outputs,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return the average precision of COCO, and where the boxes are wrong.

        Returns:
            images; ap50, ap and ap75, None if there is no object; tables of AP by class and by size
            and of the confusion with background of the boxes that `predict` shows; and the chart of
            precision and recall.
        """
        found = self.found(outputs, len(classes), name)
        truth = objects(labels)
        return {"images": len(labels)} | measure(truth, found, classes, self.score)

    def worst(self, test: Split, classes: Sequence[str], outputs: Outputs) -> Mistakes:
        """Return the pictures with the most missed and invented objects, with boxes drawn."""
        found = [one.above(self.score) for one in self.found(outputs, len(classes), "The model")]
        return worst_pictures(test, classes, objects(test.labels), found)

    def decisions(self, outputs: Outputs, steps: Sequence[float]) -> Decisions:
        """Return the class that is found at each anchor, -1 for none, and by how much."""
        counts = [len(sizes) for sizes in self.sizes(len(outputs) // 2)]
        least = np.log(self.score / (1 - self.score))
        parts = []
        for logits, step, count in zip(outputs[1::2], steps[1::2], counts, strict=True):
            rows = logits.reshape(len(logits), -1, logits.shape[-1] // count).astype(np.float64)
            rows = rows[..., int(self.background) :]
            ranked = np.sort(rows, axis=2)
            first, second = ranked[..., -1], ranked[..., -2:-1].max(axis=2, initial=-np.inf)
            chosen = np.where(first >= least, rows.argmax(axis=2), -1)
            lead = np.where(chosen >= 0, np.minimum(first - least, first - second), least - first)
            parts.append((chosen, lead / step))
        return Decisions(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))

    def output_texts(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return what each output holds."""
        maps = len(lower(network).outputs) // 2
        return tuple(
            text
            for place in range(1, maps + 1)
            for text in (
                (f"boxes_{place}", f"Offsets of the boxes from the anchors of map {place}"),
                (f"scores_{place}", f"Logits of the classes at the anchors of map {place}"),
            )
        )

    def constants(self, network: Network, classes: Sequence[str]) -> dict[str, Any]:
        """Return the anchors of each map, and the units of the offsets."""
        maps = [op.shape[:2] for op in lower(network).outputs[0::2]]
        return {
            "maps": maps,
            "sizes": self.sizes(len(maps)),
            "centre_unit": CENTRE_UNIT,
            "side_unit": SIDE_UNIT,
            "candidates": CANDIDATES,
        }

    def answers(
        self,
        outputs: Outputs,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the likeliest boxes of each picture, in its pixels.

        Returns:
            predictions [{boxes: [{label, score, box: [left, top, right, bottom]}]}].
        """
        found = self.found(outputs, len(labels), name)
        return {
            "predictions": [
                {"boxes": _told(one.above(self.score), labels, framing)[:top]}
                for one, framing in zip(found, framings, strict=True)
            ]
        }

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per box, and one for a picture without any."""

        def cells(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
            boxes = [
                (box["label"], f"{box['score']:.2%}", ", ".join(f"{x:g}" for x in box["box"]))
                for box in one["boxes"]
            ]
            return [*boxes] or [("nothing found", "", "")]

        columns = ["image", "class", "score", "left, top, right, bottom"]
        return columns, rows_by_image(found["predictions"], cells)


def _told(found: Found, labels: Sequence[str], framing: Framing) -> list[dict[str, Any]]:
    edges = framing.points(found.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    width, height = framing.size
    edges = np.clip(edges, 0, [width, height, width, height])
    return [
        {"label": labels[label], "score": round(float(score), 4), "box": box.round(1).tolist()}
        for box, label, score in zip(edges, found.classes, found.scores, strict=True)
    ]
