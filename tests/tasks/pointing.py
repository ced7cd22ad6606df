"""A small task with two outputs and labels that are no classes, to prove what all tasks share.

A network says where the picture is brightest and how bright it is there. Tests register it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.placed import Placed
from mobilenet_tf.datasets.sources.decoded import from_images
from mobilenet_tf.datasets.splitting import Listing
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import GraphBuilder, lowering
from mobilenet_tf.networks.rows import Head, Network, row_kind
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.worst import Mistakes

CLASSES = ("left", "right")
COUNT, SIZE = 60, 48


@row_kind("pointer")
@dataclass(frozen=True)
class Pointer(Head):
    """Two outputs: (1, 1, 2) for the place, and `classes` scores for the half that it lies in."""

    classes: int = 2


@lowering(Pointer)
def _pointer(graph: GraphBuilder, x: Op, row: Pointer) -> Op:
    x = graph.mean(x, "pool")
    graph.convolution(x, "place", 2, norm=False)
    return graph.convolution(x, "half", row.classes, norm=False)


@dataclass(frozen=True)
class Pointing(Task):
    """Labels are float32 (N, 2), outputs are the place (N, 2) and scores of halves (N, 2)."""

    tolerance: float = number(0.25, above=0, most=1)
    names: tuple[str, ...] = CLASSES

    name: ClassVar[str] = "pointing"
    noun: ClassVar[str] = "pointer"
    use: ClassVar[str] = "Pointing at the brightest place"
    limits: ClassVar[tuple[str, ...]] = ("It always points somewhere.",)
    agreed: ClassVar[str] = "same half"
    curve: ClassVar[str] = "half_accuracy"
    shares: ClassVar[tuple[str, ...]] = ("near", "half")
    titles: ClassVar[Mapping[str, str]] = {"near": "share of near places"}

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        random = np.random.default_rng(7)
        places = random.uniform(0.2, 0.8, (COUNT, 2)) * SIZE

        def pictures():
            y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
            for across, down in places:
                light = np.exp(-((x - across) ** 2 + (y - down) ** 2) / 30)
                yield Image.fromarray((255 * light).astype(np.uint8)).convert("RGB")

        listing = Listing(
            CLASSES, [f"{i:03d}" for i in range(COUNT)], list(places), stratified=False
        )
        return from_images(
            source, listing, pictures(), input_spec, seed=seed, progress=progress, place=_place
        )

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        data = self.load(source, input_spec, seed, progress, True)
        return TestImages(data.test, data.skipped, data.notes)

    def class_names(self, source: str) -> tuple[str, ...]:
        return CLASSES

    def check_recipe(self, fields: Mapping[str, Any]) -> None:
        if fields["train.augmentation.mixup"]:
            raise UserError("train.augmentation.mixup must be 0: places cannot be mixed.")

    def with_head(self, network: Network, classes: int) -> Network:
        from dataclasses import replace

        return replace(network, head=(Pointer(classes),))

    def accepts(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        return [len(shape) for shape in shapes] == [1, 1]

    def objective(self, network: Network):
        from tests.tasks.pointing_objective import Point

        return Point()

    def metrics(
        self, outputs: Any, labels: np.ndarray, classes: Sequence[str], name: str = "The model"
    ) -> dict[str, Any]:
        place, half = outputs
        distance = np.abs(place - labels).max(axis=1)
        near = float((distance < self.tolerance).mean())
        rows = [
            [classes[side], float((labels[:, 0] > 0.5).mean() if side else 0)] for side in (0, 1)
        ]
        return {
            "images": len(labels),
            "near": near,
            "half": float((half.argmax(axis=1) == (labels[:, 0] > 0.5)).mean()),
            "tables": [{"title": "Halves", "columns": ["half", "share"], "rows": rows,
                        "shares": ["share"]}],
            "charts": [{"title": "Distance", "x": "picture", "y": "distance",
                        "lines": {"all": [[i, float(d)] for i, d in enumerate(distance)]}}],
        }  # fmt: skip

    def worst(self, test: Split, classes: Sequence[str], outputs: Any) -> Mistakes:
        picture = "worst/01.png"
        rows = [{"file": test.names[0], "picture": picture, "note": "the first"}]
        return Mistakes(rows, {picture: np.asarray(test.images[0])})

    def decisions(self, outputs: Any, steps: Sequence[float]) -> Decisions:
        half = outputs[1].astype(np.float64)
        lead = np.abs(half[:, 0] - half[:, 1]) / steps[1]
        return Decisions(half.argmax(axis=1)[:, None], lead[:, None])

    def answers(
        self,
        outputs: Any,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        points = [
            framing.points(place).round(1).tolist()
            for place, framing in zip(outputs[0], framings, strict=True)
        ]
        return {"predictions": [{"point": point} for point in points]}

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        rows = [(one["image"], str(one["point"])) for one in found["predictions"]]
        return ["image", "point"], rows


def _place(label: Any, framing: Framing) -> Placed:
    share = framing.shares(label).astype(np.float32)
    return Placed(share, ["a place left of the middle"] if share[0] < 0.25 else [])
