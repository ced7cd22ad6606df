"""Several labels per picture, each of which a picture has or has not."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.labelled import Labelled
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.multilabel.metrics import measured
from mobilenet_tf.tasks.multilabel.scores import NEUTRAL, best_threshold, logit, sigmoid
from mobilenet_tf.tasks.scores import finite
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.words import rows_by_image
from mobilenet_tf.tasks.worst import Mistakes, worst_first

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective

NO_LABELS = "none"  # how a picture without any is shown


@dataclass(frozen=True)
class MultiLabel(Task):
    """Several labels per picture.

    Labels are uint8 (N, classes), 1 where a picture has the label. Outputs are logits
    (N, classes); the sigmoid of one is the probability of its label, whatever the others are.

    Attributes:
        thresholds: Probability from which each label counts as predicted, between 0 and 1. Empty
            for 0.5 during training, after which they are chosen for the file.
    """

    thresholds: tuple[float, ...] = ()

    name: ClassVar[str] = "multilabel"
    decoding: ClassVar[str] = "labels"
    noun: ClassVar[str] = "multi-label classifier"
    parts: ClassVar[str] = "labels"
    use: ClassVar[str] = "Finding out which of the labels below apply to an image"
    limits: ClassVar[tuple[str, ...]] = (
        "Its thresholds were chosen on validation images. Where labels are much rarer or more "
        "frequent than among these, other thresholds are better.",
    )
    agreed: ClassVar[str] = "same labels predicted by file and network"
    agree: ClassVar[str] = "decide {} of the labels alike"
    differ: ClassVar[str] = "decides {} of the labels differently from the trained network"
    recipe: ClassVar[str] = "multilabel"
    curve: ClassVar[str] = "map"
    settles: ClassVar[bool] = True
    explains: ClassVar[bool] = True
    shares: ClassVar[tuple[str, ...]] = ("map", "f1_macro", "f1_micro", "exact")
    titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "map": "mean average precision",
            "f1_macro": "macro F1",
            "f1_micro": "micro F1",
            "exact": "images with all labels right",
        }
    )
    example: ClassVar[str] = """\
import math

scores = model.get_tensor(model.get_output_details()[0]["index"])[0]
labels = open("labels.txt", encoding="utf-8").read().splitlines()
for best, label in enumerate(labels):
    print(label, 1 / (1 + math.exp(-({score}))))  # compare with the label's threshold
"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in self.thresholds:
            if not 0 < value < 1:
                raise UserError(f"thresholds has {value}; each must be between 0 and 1.")

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits`, a table of files and labels, or a folder of pictures per label."""
        from mobilenet_tf.datasets.sources.labels import load_labels

        return load_labels(source, input_spec, seed, progress, judge_depth, arrangement)

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the test images of such a source."""
        from mobilenet_tf.datasets.sources.labels import load_labels_test

        return load_labels_test(source, labels, input_spec, seed, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of a source's labels."""
        from mobilenet_tf.datasets.sources.labels import label_names

        return label_names(source)

    def listed(self, source: str) -> AbstractContextManager[Labelled]:
        """List the pictures of a table, or of a folder per label."""
        from mobilenet_tf.datasets.sources.labels import list_labels

        return nullcontext(list_labels(source))

    def with_head(self, network: Network, classes: int) -> Network:
        """Return the network with a logit for each label."""
        return network.with_classes(classes).with_logits()

    def objective(self, network: Network) -> "Objective":
        """Return binary cross-entropy of every label."""
        from mobilenet_tf.tasks.multilabel.objective import BinaryCrossEntropy

        return BinaryCrossEntropy(network.classes)

    def output_texts(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return that the output is logits."""
        return (("logits", "A logit for each label; its sigmoid is the label's probability."),)

    def settled(
        self, outputs: np.ndarray, labels: np.ndarray, other: np.ndarray | None = None
    ) -> "MultiLabel":
        """Return the task with the thresholds that have the highest F1 on validation images.

        Thresholds that were given stay.
        """
        if self.thresholds:
            return self
        probabilities = sigmoid(outputs)
        chosen = (best_threshold(*one) for one in zip(probabilities.T, labels.T == 1, strict=True))
        return replace(self, thresholds=tuple(round(value, 6) for value in chosen))

    def metrics(
        self,
        outputs: np.ndarray,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return average precision, and F1 at the thresholds.

        Returns:
            images; map, the mean of the labels' average precisions; f1_macro, the mean of their
            F1; f1_micro, the F1 of all decisions together; exact, the share of images of which
            all labels are right; and as a table and a chart the same of each label. What no image
            decides is None and in no mean.
        """
        scores = finite(outputs, name)
        thresholds = self._thresholds(len(classes))
        return measured(scores, self._margins(scores) >= 0, labels == 1, thresholds, classes)

    def worst(self, test: Split, classes: Sequence[str], outputs: np.ndarray) -> Mistakes:
        """Return the images of which a label is wrong and farthest from its threshold.

        The rows have file, picture, note and title.
        """
        margins = self._margins(outputs)
        wrong_labels = (margins >= 0) != test.labels
        distance = np.where(wrong_labels, np.abs(margins), -1)
        found = Mistakes([], {})
        for row in worst_first(distance.max(axis=1), wrong_labels.any(axis=1)):
            label = int(distance[row].argmax())
            true, chosen = (_listed(classes, one) for one in (test.labels[row], margins[row] >= 0))
            wrong = f"{classes[label]}: {float(sigmoid(outputs[row, label])):.1%}"
            found.add(
                test.names[row],
                test.images[row],
                note=f"{true}; predicted {chosen} ({wrong})",
                title="Surest wrong labels",
            )
        return found

    def decisions(self, outputs: np.ndarray, steps: Sequence[float]) -> Decisions:
        """Return for each label whether it is predicted, and how far its logit is from changing."""
        margins = self._margins(outputs)
        return Decisions((margins >= 0).astype(np.int64), np.abs(margins) / steps[0])

    def answers(
        self,
        outputs: np.ndarray,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the labels of each picture, the likeliest first.

        Returns:
            probabilities, which is true; and predictions [{classes: [{label, score}]}] with the
            labels whose probability reaches their threshold: none, one or several.
        """
        predictions = []
        for row, margins in zip(finite(outputs, name), self._margins(outputs), strict=True):
            order = np.argsort(-row, kind="stable")
            found = [index for index in order if margins[index] >= 0][:top]
            scores = sigmoid(row[found])
            classes = [
                {"label": labels[index], "score": round(float(score), 4)}
                for index, score in zip(found, scores, strict=True)
            ]
            predictions.append({"classes": classes})
        return {"probabilities": True, "predictions": predictions}

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per image and label."""

        def cells(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
            given = [(label["label"], f"{label['score']:.2%}") for label in one["classes"]]
            return [*given] or [(NO_LABELS, "")]

        return ["image", "label", "score"], rows_by_image(found["predictions"], cells)

    def _margins(self, logits: np.ndarray) -> np.ndarray:
        """Return by how much each logit exceeds that of its threshold, float64 (N, classes)."""
        return np.asarray(logits, np.float64) - logit(self._thresholds(logits.shape[1]))

    def _thresholds(self, classes: int) -> np.ndarray:
        if len(self.thresholds) not in (0, classes):
            raise UserError(
                f"thresholds has {len(self.thresholds)} values for {classes} labels; one for each "
                "is needed."
            )
        return np.array(self.thresholds or [NEUTRAL] * classes, np.float64)


def _listed(classes: Sequence[str], chosen: np.ndarray) -> str:
    return ", ".join(classes[index] for index in np.flatnonzero(chosen).tolist()) or NO_LABELS
