"""Embedding: a vector per picture, near those of the same class, seen in training or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import choice, number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.load import class_names
from mobilenet_tf.networks.embed import LARGEST_DIMENSION, embedder
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.class_batches import check_class_batches, in_turn
from mobilenet_tf.tasks.embedding.data import load_embedding, load_unseen, number_held_out
from mobilenet_tf.tasks.embedding.metrics import metrics_of, most_similar_strangers
from mobilenet_tf.tasks.embedding.similarity import (
    check_pairs,
    nearest,
    split_pairs,
    threshold_at,
    unit,
)
from mobilenet_tf.tasks.scores import finite
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.worst import Mistakes

if TYPE_CHECKING:
    from mobilenet_tf.tasks.embedding.objective import EmbeddingObjective

# Margins of the papers: ArcFace, 3.1; CosFace, 4.1; FaceNet, 3.1.
_MARGINS = {"arcface": 0.5, "cosface": 0.35, "triplets": 0.2}


@dataclass(frozen=True)
class Embedding(Task):
    """A vector per picture; only the angles between vectors count.

    Labels are int64 (N,), outputs are vectors (N, dimension) of any length. They are compared by
    their cosine. Metrics are those of classes that were never trained.

    Attributes:
        dimension: Length of the vector.
        loss: `cosface` or `arcface`, a softmax over class centres with a margin; or `triplets`.
            Random weights should not start with arcface: while classes are not yet told apart, its
            margin is smallest where all vectors are the same.
        margin: Margin of the loss; None for the one in its paper, 0.35, 0.5 or 0.2.
        scale: Factor of the cosines in arcface and cosface.
        pictures: Number of pictures per class in a batch, at least.
        held_out: Names of the classes that are kept for testing. Where none are given, the seed
            chooses three in ten.
        false_accepts: Share of pairs of different classes among the validation pictures that the
            threshold accepts.
        threshold: Similarity above which `identify` takes two pictures for the same; chosen on the
            validation pictures once a file has been made.
    """

    name: ClassVar[str] = "embedding"
    decoding: ClassVar[str] = "vectors"
    noun: ClassVar[str] = "image embedder"
    use: ClassVar[str] = "Comparing images by vectors: those of one class have a small angle"
    limits: ClassVar[tuple[str, ...]] = (
        "How many images of strangers are accepted at a threshold depends on who or what they "
        "show; measure it on images like those of the application.",
        "It does not notice whether a picture shows a living person or another picture.",
    )
    agreed: ClassVar[str] = "same most similar picture by file and network"
    recipe: ClassVar[str] = "embedding"
    agree: ClassVar[str] = "find the same most similar picture in {} of the cases"
    differ: ClassVar[str] = "finds another most similar picture than the trained network in {}"
    curve: ClassVar[str] = "accuracy"
    settles: ClassVar[bool] = True
    compares: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("vector",)
    no_rows: ClassVar[str] = (
        "There is nothing to compare: give two or more images, or use enroll and identify."
    )
    same_classes: ClassVar[bool] = False
    shares: ClassVar[tuple[str, ...]] = (
        "verification",
        "recall_at_1",
        "map",
        "true_accepts_1e2",
        "true_accepts_1e3",
        "accepted",
        "strangers",
    )
    titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "verification": "verification accuracy",
            "recall_at_1": "recall@1",
            "map": "mean average precision",
            "true_accepts_1e2": "true accepts where 1 % of strangers are accepted",
            "true_accepts_1e3": "true accepts where 0.1 % of strangers are accepted",
            "accepted": "true accepts at the threshold",
            "strangers": "strangers accepted at the threshold",
        }
    )
    example: ClassVar[str] = (
        'vector = model.get_tensor(model.get_output_details()[0]["index"])[0]\n'
        "vector = vector / np.linalg.norm(vector)  # the similarity of two is their product\n"
    )

    dimension: int = number(128, least=2, most=LARGEST_DIMENSION)
    loss: str = choice("cosface", "arcface", "triplets")
    margin: float | None = number(None, least=0, most=2)
    scale: float = number(32.0, above=0, most=1000)
    pictures: int = number(4, least=2, most=1024)
    held_out: tuple[str, ...] = ()
    false_accepts: float = number(0.01, above=0, below=1)
    threshold: float | None = number(None, least=-1, most=1)

    @classmethod
    def description(cls, classes: int, *, int8: bool = False) -> str:
        """Return what a network is; its classes are not what it is for."""
        return f"Int8 {cls.noun}" if int8 else f"{cls.noun[0].upper()}{cls.noun[1:]}"

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits` or a folder with a folder of images per class.

        The classes that are held out stand behind the others and are the test split. The validation
        images are in such an order that each batch has several of each of its classes.
        """
        data = load_embedding(
            source, self.held_out, input_spec, seed, progress, judge_depth, arrangement
        )
        together = data.validation.subset(in_turn(data.validation.labels, self.pictures))
        return replace(data, validation=together)

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the images of the classes that were held out, or of all where there are none."""
        if source == "digits":
            data = self.load(source, input_spec, seed, progress, True)
            return TestImages(data.test, data.skipped, data.notes, classes=data.classes)
        return load_unseen(source, self.held_out, input_spec, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of such a source's classes, in the order of its folders."""
        return class_names(source)

    def check_recipe(self, fields: Mapping[str, Any]) -> None:
        """Reject mixed pictures, which have no class, and weights of classes."""
        check_class_batches(fields, "embeddings")

    def fitted(self, data: Dataset) -> "Embedding":
        """Return the task with the names of the classes that are held out."""
        count = number_held_out(len(data.classes), self.held_out)
        return replace(self, held_out=data.classes[-count:])

    def with_head(self, network: Network, classes: int) -> Network:
        """Return the network with a projection to the vector, for training the classes that are."""
        trained = classes - number_held_out(classes, self.held_out)
        return embedder(network, trained, self.dimension)

    def objective(self, network: Network) -> "EmbeddingObjective":
        """Return the softmax with a margin, or triplets."""
        margin = _MARGINS[self.loss] if self.margin is None else self.margin
        common = network.classes, self.pictures
        if self.loss == "triplets":
            from mobilenet_tf.tasks.embedding.triplets import Triplets

            return Triplets(*common, margin)
        from mobilenet_tf.tasks.embedding.margin_softmax import MarginSoftmax

        additive_angle = self.loss == "arcface"
        return MarginSoftmax(*common, margin, self.scale, additive_angle)

    def metrics(
        self,
        outputs: np.ndarray,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return how well vectors find and verify pictures of their class.

        Returns:
            images; verification, its accuracy by ten folds of 6,000 pairs; recall_at_1 and map of
            searching among all others; true_accepts_1e2 and true_accepts_1e3, the true accept rates
            (TAR) at false accept rates (FAR) of 0.01 and 0.001, None with too few pairs; accepted
            and strangers, both rates at `threshold`, None without one; tables and charts.
        """
        vectors = unit(finite(outputs, name))
        check_pairs(labels, name)
        return metrics_of(vectors, labels, classes, self.threshold)

    def settled(
        self, outputs: np.ndarray, labels: np.ndarray, other: np.ndarray | None = None
    ) -> "Embedding":
        """Return the task with the threshold that accepts `false_accepts` of strangers.

        Args:
            outputs: Vectors of the validation pictures.
            labels: Their classes.
        """
        _, different = split_pairs(unit(outputs), labels)
        threshold = threshold_at(np.clip(different, -1, 1), self.false_accepts)
        return replace(self, threshold=threshold)

    def labels(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Return none: the values of a vector are no classes."""
        return ()

    def output_texts(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return name and description of the vector."""
        text = "Features of the image. Divide it by its length before comparing it with others."
        return (("vector", text),)

    def worst(self, test: Split, classes: Sequence[str], outputs: np.ndarray) -> Mistakes:
        """Return the pictures whose most similar picture is of another class, both side by side."""
        return most_similar_strangers(test, classes, unit(outputs))

    def decisions(self, outputs: np.ndarray, steps: Sequence[float]) -> Decisions:
        """Return the other picture that is most similar to each, and its lead over the next.

        A step of one value changes a cosine by up to 1 / length of the vector.
        """
        index, first, second = nearest(unit(outputs))
        lengths = np.linalg.norm(outputs.astype(np.float64), axis=1)
        gap = np.full(len(outputs), np.inf)
        np.subtract(first, second, out=gap, where=np.isfinite(second))
        return Decisions(index[:, None], (gap * lengths / steps[0])[:, None])

    def answers(
        self,
        outputs: np.ndarray,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the vectors of pictures and their similarities with each other.

        Returns:
            threshold, above which pictures count as the same (None if unknown); and
            predictions [{vector, similarities}]: a vector of length 1, and the cosines with all
            pictures in their order.
        """
        vectors = unit(finite(outputs, name))
        return {
            "threshold": self.threshold,
            "predictions": [
                {
                    "vector": [round(float(value), 6) for value in vector],
                    "similarities": [round(float(value), 4) for value in vectors @ vector],
                }
                for vector in vectors
            ],
        }

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per pair of images, the most similar first."""
        predictions = found["predictions"]
        pairs = sorted(
            (-one["similarities"][second], one["image"], predictions[second]["image"])
            for first, one in enumerate(predictions)
            for second in range(first)
        )
        at = found["threshold"]
        judged = ["unknown" if at is None else "same" if -s > at else "other" for s, _, _ in pairs]
        return ["image", "image", "similarity", "taken for"], [
            (first, second, f"{-similarity:.3f}", judgement)
            for (similarity, first, second), judgement in zip(pairs, judged, strict=True)
        ]
