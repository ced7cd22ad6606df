"""Image classification: one class per picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.load import class_names, load_data, load_test
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.class_batches import check_class_batches
from mobilenet_tf.tasks.classification import confidence, programs
from mobilenet_tf.tasks.scores import (
    are_probabilities,
    calibration_error,
    finite,
    first_of,
    top5,
)
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.words import rows_by_image
from mobilenet_tf.tasks.worst import Mistakes, worst_first

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective


@dataclass(frozen=True)
class Classification(Task):
    """One class per picture.

    Labels are int64 (N,), outputs are scores (N, classes): probabilities, or other reals of which
    higher is likelier.

    Attributes:
        pairs: Whether training compares each image with similar ones, see `pairs.py`. Network and
            file are those of the plain classifier.
        temperature: Of the scores; 1 leaves them as they are.
        threshold: Score that the first class must reach; otherwise the image shows none of the
            classes.
        other: Folder of images that show none of the classes, by which the threshold is chosen too.
    """

    name: ClassVar[str] = "classification"
    decoding: ClassVar[str] = "classes"
    noun: ClassVar[str] = "image classifier"
    use: ClassVar[str] = "Classification of images that show one of the classes below"
    limits: ClassVar[tuple[str, ...]] = (
        "An image that shows none of its classes is recognised only by a low score. One that "
        "resembles a class is taken for it.",
    )
    agreed: ClassVar[str] = "same class predicted by file and network"
    curve: ClassVar[str] = "accuracy"
    narrowed: ClassVar[bool] = True
    agree: ClassVar[str] = "predict the same class for {} of the images"
    differ: ClassVar[str] = (
        "predicts a different class than the trained network for {} of the images"
    )
    shares: ClassVar[tuple[str, ...]] = ("accuracy", "top5", "calibration_error")
    titles: ClassVar[Mapping[str, str]] = MappingProxyType({"top5": "top 5"})
    counted: ClassVar[bool] = True
    example: ClassVar[str] = programs.LITERT
    mediapipe: ClassVar[str] = programs.MEDIAPIPE
    details: ClassVar[tuple[str, ...]] = ("per_class", "confusion", "tables", "charts")
    columns: ClassVar[tuple[str, ...]] = ("label", "score", "accepted")
    settles: ClassVar[bool] = True
    explains: ClassVar[bool] = True
    one_class: ClassVar[bool] = True

    pairs: bool = False
    temperature: float = number(1.0, least=confidence.COLDEST, most=confidence.HOTTEST)
    threshold: float = number(0.0, least=0, below=1)
    other: str | None = None

    @classmethod
    def achievement(cls, share: str, images: str) -> str:
        """Return that so many images are classified correctly."""
        return f"classifies {share} of {images} correctly"

    def sections(self, by_form: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return a section of its own for each share and detail, as version 2 has them."""
        found = super().sections(by_form)
        shares: dict[str, Any] = found.pop("metrics")
        return shares | found

    def shares_of(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return the shares, each as an entry of its own."""
        return {key: metrics[key] for key in self.shares}

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits`, `tfds:NAME`, or a folder with a folder of images per class."""
        return load_data(source, input_spec, seed, progress, judge_depth, arrangement)

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the test images of such a source."""
        return load_test(source, labels, input_spec, seed, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of such a source's classes."""
        return class_names(source)

    def check_recipe(self, fields: Mapping[str, Any]) -> None:
        """Reject mixed images and weights of classes where pairs are trained."""
        if self.pairs:
            check_class_batches(fields, "pairs")

    def for_files(self) -> "Classification":
        """Return the plain classifier."""
        return replace(self, pairs=False, other=None)

    def other_images(self) -> str | None:
        """Return `other`."""
        return self.other

    def with_other_images(self, folder: str) -> "Classification":
        """Return the task with this `other`."""
        return replace(self, other=folder)

    def settled(
        self, outputs: np.ndarray, labels: np.ndarray, other: np.ndarray | None = None
    ) -> "Classification":
        """Return the task with temperature and threshold; without them for too few images.

        A temperature or a threshold that was given stays.
        """
        right = outputs.argmax(axis=1) == labels
        if right.sum() < confidence.FEWEST or not are_probabilities(outputs):
            return self
        found = self
        if self.temperature == 1:
            found = replace(found, temperature=confidence.best_temperature(outputs, labels))
        if not self.threshold:
            own = found.scores(outputs).max(axis=1)
            beside = None if other is None else found.scores(other).max(axis=1)
            found = replace(found, threshold=confidence.rejection_threshold(own[right], beside))
        return found

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs at the temperature, if they are probabilities."""
        return (
            confidence.tempered(outputs, self.temperature)
            if are_probabilities(outputs)
            else outputs
        )

    def separation(self, outputs: np.ndarray, other: np.ndarray, name: str) -> dict[str, Any]:
        """Return images, accepted and auroc; see `Task.separation`."""
        own, beside = (self.scores(finite(one, name)).max(axis=1) for one in (outputs, other))
        accepted = float((beside >= self.threshold).mean())
        return {"images": len(beside), "accepted": accepted, "auroc": confidence.auroc(own, beside)}

    def with_head(self, network: Network, classes: int) -> Network:
        """Return the network with so many outputs of its classifier."""
        return network.with_classes(classes)

    def objective(self, network: Network) -> "Objective":
        """Return softmax and cross-entropy, of pairs of images if `pairs` is true."""
        if self.pairs:
            from mobilenet_tf.tasks.classification.pairs import PairedCrossEntropy

            return PairedCrossEntropy(network.classes)
        from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy

        return CrossEntropy(network.classes)

    def metrics(
        self,
        outputs: np.ndarray,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return accuracy, calibration and confusion of scores.

        Returns:
            images, accuracy, top5 (None below six classes), calibration_error (None for scores
            that are not probabilities), per_class {name: {precision, recall, images}},
            confusion (rows are true classes), and coverage as tables and charts where temperature
            or threshold were chosen.
        """
        scores = self.scores(finite(outputs, name))
        predicted = outputs.argmax(axis=1)
        confusion = np.zeros((len(classes), len(classes)), int)
        np.add.at(confusion, (labels, predicted), 1)
        correct = np.diag(confusion)
        of_class, predicted_as = confusion.sum(axis=1), confusion.sum(axis=0)
        return {
            "images": len(labels),
            "accuracy": float((predicted == labels).mean()),
            "top5": top5(outputs, labels),
            "calibration_error": calibration_error(scores, labels),
            "per_class": {
                name: {
                    "precision": _share(correct[index], predicted_as[index]),
                    "recall": _share(correct[index], of_class[index]),
                    "images": int(of_class[index]),
                }
                for index, name in enumerate(classes)
            },
            "confusion": confusion.tolist(),
            **confidence.coverage(outputs, scores, labels, self.temperature, self.threshold),
        }

    def worst(self, test: Split, classes: Sequence[str], outputs: np.ndarray) -> Mistakes:
        """Return the wrong predictions with the highest scores.

        The rows have file, label, predicted, score and picture.
        """
        predicted = outputs.argmax(axis=1)
        confidence = self.scores(outputs).max(axis=1)
        found = Mistakes([], {}, "worst")
        for row in worst_first(confidence, (predicted != test.labels) & (confidence >= 0)):
            found.add(
                test.names[row],
                test.images[row],
                label=classes[test.labels[row]],
                predicted=classes[predicted[row]],
                score=round(float(confidence[row]), 4),
            )
        return found

    def decisions(self, outputs: np.ndarray, steps: Sequence[float]) -> Decisions:
        """Return the first class of each picture, and its lead over the second."""
        return first_of(outputs, steps[0])

    def agreement(
        self, expected: np.ndarray, found: np.ndarray, steps: Sequence[float]
    ) -> dict[str, Any]:
        """Return the agreement of first classes, and of one's first class with the other's five.

        Returns:
            As `agreement`, with top5_agreement (None below six classes).
        """
        first = finite(expected, "The network").argmax(axis=1)
        return super().agreement(expected, found, steps) | {"top5_agreement": top5(found, first)}

    def answers(
        self,
        outputs: np.ndarray,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the likeliest classes of each picture.

        Returns:
            probabilities, whether the scores are such and not logits; and
            predictions [{accepted, classes: [{label, score}]}]; accepted is whether the first
            score reaches the threshold, and true without one.
        """
        best = np.argsort(-finite(outputs, name), axis=1, kind="stable")[:, :top]
        predictions = []
        for row, order in zip(self.scores(outputs), best, strict=True):
            accepted = not self.threshold or bool(row[order[0]] >= self.threshold)
            classes = [{"label": labels[i], "score": round(float(row[i]), 4)} for i in order]
            predictions.append({"accepted": accepted, "classes": classes})
        return {"probabilities": are_probabilities(outputs), "predictions": predictions}

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per image and class, after one that says that it shows none of them."""
        # Logits are not shares of anything.
        shown = "{:.2%}" if found["probabilities"] else "{:.4g}"

        def cells(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
            none = [] if one["accepted"] else [(confidence.NONE, "")]
            return none + [(at["label"], shown.format(at["score"])) for at in one["classes"]]

        return ["image", "class", "score"], rows_by_image(found["predictions"], cells)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
