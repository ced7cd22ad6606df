"""Semantic segmentation: a class for every pixel, by LR-ASPP or R-ASPP."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.datasets.masks import IGNORED
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.lraspp import LRASPP, RASPP, Segmenter, segmenter
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.segmentation.masks import (
    colour,
    legend,
    on_picture,
    predicted,
    run_lengths,
    side_by_side,
)
from mobilenet_tf.tasks.segmentation.scores import confusion, mean_overlap, overlaps, scores
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.words import rows_by_image
from mobilenet_tf.tasks.worst import Mistakes, worst_first

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective


@dataclass(frozen=True)
class Segmentation(Task):
    """A class for every pixel.

    Labels are masks, uint8 (N, height, width) of the stored pictures, with 255 for pixels that
    belong to no class. Outputs are logits (N, h, w, classes) on a coarser grid;
    `masks.predicted` says what they mean.

    Attributes:
        lite: Whether the head is LR-ASPP (V3, 6.4), which also reads a finer map; or R-ASPP.
        features: Number of channels in the head.
        output_stride: Largest stride of the backbone, 8, 16 or 32.
        low_stride: Stride of LR-ASPP's finer map and output: 2, 4, 8 or 16. The papers' 8 suits
            their inputs of a thousand pixels.
        halved: Whether the backbone's last stage has half as many channels, as in the papers.
        dice: Weight of the Dice loss that training adds to the cross-entropy; for classes that have
            few of the pixels.
    """

    lite: bool = True
    features: int = number(128, least=1, most=4096)
    output_stride: int = 16
    low_stride: int = 4
    halved: bool = True
    dice: float = number(0.0, least=0, most=100)

    name: ClassVar[str] = "segmentation"
    decoding: ClassVar[str] = "masks"
    noun: ClassVar[str] = "segmenter"
    use: ClassVar[str] = "Marking every pixel of an image with one of the classes below"
    limits: ClassVar[tuple[str, ...]] = (
        "It gives every pixel one of its classes, even where an image shows none of them.",
        "Its outlines are as coarse as its output, which is enlarged to the image; what is thinner "
        "than a few pixels of the input is lost.",
    )
    agreed: ClassVar[str] = "same class of a pixel in file and network"
    recipe: ClassVar[str] = "segmentation"
    fits: ClassVar[tuple[str, ...]] = ("stretch", "pad")  # what lies at the edges counts, too
    curve: ClassVar[str] = "miou"
    columns: ClassVar[tuple[str, ...]] = ("label", "share")
    shares: ClassVar[tuple[str, ...]] = ("miou", "pixel_accuracy")
    titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"miou": "mIoU", "pixel_accuracy": "pixel accuracy"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._head(2)

    def _head(self, classes: int) -> Segmenter:
        if self.lite:
            return LRASPP(classes, self.features, self.output_stride, self.low_stride)
        return RASPP(classes, self.features, self.output_stride)

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits`, or a folder of pictures with masks or outlines; see `sources.masks`."""
        from mobilenet_tf.datasets.sources.masks.load import load_masks

        return load_masks(source, input_spec, seed, progress, judge_depth, arrangement)

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the test pictures of such a source."""
        from mobilenet_tf.datasets.sources.masks.load import load_test_masks

        return load_test_masks(source, labels, input_spec, seed, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of a source's classes; only colours and values of masks are read."""
        from mobilenet_tf.datasets.sources.masks.load import mask_classes

        return mask_classes(source)

    def listed(self, source: str) -> AbstractContextManager[Labelled]:
        """List the pictures of a folder with their masks or outlines."""
        from mobilenet_tf.datasets.sources.masks.load import list_masked

        return list_masked(source)

    def usual_input(self, source: str) -> tuple[int, int]:
        """Return 96 pixels for `digits`, whose scenes are as large, or else 256; three channels."""
        return (96, 3) if source == "digits" else (256, 3)

    def with_head(self, network: Network, classes: int) -> Network:
        """Return a segmenter on the network's backbone."""
        if isinstance(network.head[-1], Segmenter):
            return network.with_classes(classes)
        found = segmenter(network, self._head(classes), halved=self.halved)
        lower(found)  # refuses backbones whose maps do not suit the head
        return found

    def accepts(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Return whether there is one map."""
        return [len(shape) for shape in shapes] == [3]

    def objective(self, network: Network) -> "Objective":
        """Return cross-entropy per pixel of the input, and the Dice loss."""
        from mobilenet_tf.tasks.segmentation.objective import PixelCrossEntropy

        sides = network.input.height, network.input.width
        return PixelCrossEntropy(network.classes, sides, self.dice)

    def metrics(
        self,
        outputs: np.ndarray,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return mIoU and its parts from one confusion over all pixels.

        Returns:
            images, and what `scores.scores` returns.
        """
        _check(outputs, len(classes), name)
        counts = confusion(predicted(outputs, labels.shape[1:3]), labels, len(classes))
        return {"images": len(labels), **scores(counts, classes)}

    def worst(self, test: Split, classes: Sequence[str], outputs: np.ndarray) -> Mistakes:
        """Return the pictures with the lowest mIoU, each beside its true and its predicted mask.

        The first picture is the legend of the colours.
        """
        found = predicted(outputs, test.labels.shape[1:3])
        counts = [
            confusion(mask, truth, len(classes))
            for mask, truth in zip(found, test.labels, strict=True)
        ]
        means = np.array([mean_overlap(one) if one.any() else np.inf for one in counts])
        mistakes = Mistakes([], {})
        for place in worst_first(-means, means < 1):
            shares = overlaps(counts[place])
            lowest = int(np.nanargmin(shares))
            pixels, truth = np.asarray(test.images[place]), test.labels[place]
            note = (
                f"mIoU {means[place]:.3f}, lowest for {classes[lowest]} ({shares[lowest]:.3f}). "
                "From the left: the picture, the truth, and what was predicted."
            )
            shown = side_by_side(pixels, truth, found[place])
            mistakes.add(test.names[place], shown, note=note)
        first = "worst/legend.png"
        colours = {"file": "", "picture": first, "note": ", ".join(classes), "title": "Colours"}
        mistakes.rows.insert(0, colours)
        mistakes.pictures[first] = legend(classes)
        return mistakes

    def decisions(self, outputs: np.ndarray, steps: Sequence[float]) -> Decisions:
        """Return the class of each logit vector, and its lead over the second."""
        flat = outputs.reshape(len(outputs), -1, outputs.shape[-1]).astype(np.float64)
        ranked = np.partition(flat, -2, axis=-1)
        return Decisions(flat.argmax(axis=-1), (ranked[..., -1] - ranked[..., -2]) / steps[0])

    def answers(
        self,
        outputs: np.ndarray,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the masks of each picture, in its own pixels.

        Returns:
            predictions [{size: [height, width], classes: [{label, share, counts}]}], the largest
            classes first: share of the picture that the network saw, and the mask as COCO's
            uncompressed run lengths.
        """
        _check(outputs, len(labels), name)
        predictions = []
        for one, framing in zip(outputs, framings, strict=True):
            width, height = framing.sides
            (mask,) = predicted(one[None], (height, width))
            mask = on_picture(mask, framing)
            pixels = np.bincount(mask[mask != IGNORED], minlength=len(labels))
            largest = np.argsort(-pixels, kind="stable")[:top]
            found = [
                {
                    "label": labels[index],
                    "share": round(float(pixels[index] / pixels.sum()), 4),
                    "counts": run_lengths(mask == index),
                }
                for index in largest
                if pixels[index]
            ]
            predictions.append({"size": list(mask.shape), "classes": found})
        return {"predictions": predictions}

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per image and class."""
        rows = rows_by_image(
            found["predictions"],
            lambda one: ((at["label"], f"{at['share']:.2%}") for at in one["classes"]),
        )
        return ["image", "class", "share of the pixels"], rows

    def output_texts(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return name and description of the output."""
        return (("logits", "For every pixel of a coarse grid, a logit for each class"),)

    def constants(self, network: Network, classes: Sequence[str]) -> dict[str, Any]:
        """Return the colours in which masks of the classes are shown."""
        return {"colours": ["#" + bytes(colour(index)).hex() for index in range(len(classes))]}


def _check(outputs: np.ndarray, classes: int, name: str) -> None:
    """Reject outputs that are no logits of so many classes.

    Raises:
        UserError: They are not.
    """
    if outputs.ndim != 4 or outputs.shape[3] != classes:
        sides = "x".join(map(str, outputs.shape[1:]))
        raise UserError(
            f"{name} has outputs of {sides}; a segmenter of {classes} classes has a logit for each "
            "of them on a grid."
        )
    if not np.isfinite(outputs).all():
        raise UserError(f"{name} gives logits that are not numbers (NaN or infinite).")
