"""Where on earth a picture was taken, as a choice among cells (PlaNet, arXiv 1602.05314)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.earth import great_circle_km
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import Framing, InputSpec
from mobilenet_tf.core.settings import number
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.datasets.splitting import assign_splits
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions
from mobilenet_tf.tasks.geolocation.cells import FINEST, adaptive_cells, nearest_cells, place_of
from mobilenet_tf.tasks.scores import finite, first_of
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.tasks.words import rows_by_image
from mobilenet_tf.tasks.worst import Mistakes, worst_first

if TYPE_CHECKING:
    from mobilenet_tf.datasets.sources.places import Places
    from mobilenet_tf.tasks.objective import Objective

RADII_KM = (1, 25, 200, 750, 2500)  # street, city, region, country, continent (1602.05314, 3)
_SCORED_KM = 200  # the distance of the score
_QUANTILES, _POINTS = (0.25, 0.5, 0.75, 0.9), 100  # of the table and of the chart


@dataclass(frozen=True)
class Geolocation(Task):
    """The place of a picture.

    Labels are float64 (N, 3): latitude and longitude in degrees, and the index of the cell. Classes
    are cells, named by their H3 index. Outputs are probabilities (N, classes).

    Attributes:
        most: Number of training pictures above which a cell is divided.
        least: Number of training pictures below which a cell is left out.
        finest: H3 resolution of the smallest cells. 7 has 1.4 km from the centre to a corner.
    """

    most: int = number(50, least=1)
    least: int = number(10, least=1)
    finest: int = number(7, least=0, most=FINEST)

    name: ClassVar[str] = "geolocation"
    decoding: ClassVar[str] = "cells"
    noun: ClassVar[str] = "locator"
    parts: ClassVar[str] = "cells"
    use: ClassVar[str] = "Estimating where images of scenery or wildlife were taken, for surveys"
    limits: ClassVar[tuple[str, ...]] = (
        "It must not be used to find out where people live, work or stay, to follow them, or on "
        "images whose owners have not agreed to it.",
        "It always answers with one of its cells, even for an image of another part of the earth; "
        "its places are as unevenly spread as those of its training images.",
    )
    agreed: ClassVar[str] = "same cell predicted by file and network"
    agree: ClassVar[str] = "predict the same cell for {} of the images"
    differ: ClassVar[str] = (
        "predicts a different cell than the trained network for {} of the images"
    )
    recipe: ClassVar[str] = "geolocation"
    curve: ClassVar[str] = "accuracy"
    columns: ClassVar[tuple[str, ...]] = ("label", "score", "latitude", "longitude", "radius_km")
    shares: ClassVar[tuple[str, ...]] = tuple(
        f"within_{km}" for km in sorted(RADII_KM, key=lambda km: km != _SCORED_KM)
    )
    titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {f"within_{km}": f"share within {km:,} km" for km in RADII_KM}
    )
    counted: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.least > self.most:
            raise UserError(f"least is {self.least}; it must not exceed most, {self.most}.")

    @classmethod
    def achievement(cls, share: str, images: str) -> str:
        """Return how many images are placed within the distance of the score."""
        return f"places {share} of {images} within {_SCORED_KM} km"

    def usual_input(self, source: str) -> tuple[int, int]:
        """Return side and channels of the input; colours matter, also of digits."""
        return super().usual_input(source)[0], 3

    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load `digits`, a table of files and coordinates, or a folder of pictures with EXIF."""
        from mobilenet_tf.datasets.sources.places import list_places

        places = list_places(source).arranged(arrangement, progress)
        return self._in_cells(places, seed).read(input_spec, seed, progress, judge_depth)

    def _in_cells(self, places: "Places", seed: int) -> "Places":
        """Assign pictures to splits and cells; the places of training pictures decide the cells."""
        listing, positions = places.labelled.listing, places.positions
        training = (assigned := assign_splits(listing, seed))["train"]
        cells = adaptive_cells(positions[training], self.most, self.least, self.finest)
        if len(cells) < 2:
            raise UserError(
                f"{places.labelled.source} has {len(cells)} cells with at least {self.least} "
                "training pictures; at least 2 are needed. A lower `least` makes more cells."
            )
        inside = set(training[[row for members in cells.values() for row in members]].tolist())
        skipped = [
            {
                "file": listing.names[row],
                "reason": f"its cell has fewer than {self.least} training pictures",
            }
            for row in training.tolist()
            if row not in inside
        ]
        split_of = {row: split for split, rows in assigned.items() for row in rows.tolist()}
        rows = np.array([r for r in sorted(split_of) if r in inside or split_of[r] != "train"])
        kept = replace(
            listing.subset(rows),
            classes=tuple(cells),
            labels=list(self._labels(positions[rows], tuple(cells))),
            splits=[split_of[row] for row in rows.tolist()],
        )
        return places.relabelled(rows, kept, skipped)

    def _labels(self, positions: np.ndarray, cells: Sequence[str]) -> np.ndarray:
        return np.column_stack([positions, nearest_cells(positions, cells, self.finest)])

    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the test images of such a source."""
        from mobilenet_tf.datasets.labelled import read_test
        from mobilenet_tf.datasets.sources.places import list_places

        places = list_places(source)
        if places.images is not None:
            data = self.load(source, input_spec, seed, progress, judge_depth=False)
            return data.tested_with(labels, self.parts)
        listing = places.labelled.listing
        cells = list(self._labels(places.positions, labels))
        labelled = replace(
            places.labelled, listing=replace(listing, classes=tuple(labels), labels=cells)
        )
        return read_test(labelled, input_spec, seed, progress)

    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the cells of a source's pictures, under the seed 0."""
        from mobilenet_tf.datasets.sources.places import list_places

        return self._in_cells(list_places(source), 0).labelled.listing.classes

    def with_head(self, network: Network, classes: int) -> Network:
        """Return the network with a class for each cell."""
        return network.with_classes(classes)

    def objective(self, network: Network) -> "Objective":
        """Return the cross-entropy of cells."""
        from mobilenet_tf.tasks.geolocation.objective import CellEntropy

        return CellEntropy(network.classes)

    def constants(self, network: Network, classes: Sequence[str]) -> dict[str, Any]:
        """Return the cells for programs without H3: [[latitude, longitude, radius in km]]."""
        return {"cells": [[round(value, 5) for value in place_of(cell)] for cell in classes]}

    def metrics(
        self,
        outputs: np.ndarray,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return how far the centre of the likeliest cell is from the place of each image.

        Returns:
            images; within_1, within_25, within_200, within_750 and within_2500, the shares within
            so many km; and the distances as a table and a chart.
        """
        distances = np.sort(self._distances(finite(outputs, name), labels, classes))
        shares = {f"within_{km}": float((distances <= km).mean()) for km in RADII_KM}
        few = np.unique(np.linspace(0, len(distances) - 1, _POINTS).round().astype(int))
        line = [(round(max(distances[row], 0.01), 2), (row + 1) / len(distances)) for row in few]
        return {
            "images": len(labels),
            **shares,
            "tables": [
                {
                    "title": "Distances",
                    "note": "How far the predicted cell's centre is from the true place.",
                    "columns": ("share of the images", "within km"),
                    "rows": [(q, round(float(np.quantile(distances, q)), 3)) for q in _QUANTILES],
                    "shares": ("share of the images",),
                }
            ],
            "charts": [
                {
                    "title": "Share of the images by distance",
                    "x": "km",
                    "y": "share of the images",
                    "lines": {"all": [(km, round(share, 4)) for km, share in line]},
                    "logarithmic": True,
                }
            ],
        }

    def worst(self, test: Split, classes: Sequence[str], outputs: np.ndarray) -> Mistakes:
        """Return the images that are farthest from where they are placed.

        The rows have file, picture, note and title.
        """
        distances = self._distances(outputs, test.labels, classes)
        found = Mistakes([], {})
        for row in worst_first(distances, distances >= 0):
            best = int(outputs[row].argmax())
            true = _shown(*test.labels[row, :2])
            found_at = f"{_shown(*place_of(classes[best])[:2])} ({outputs[row, best]:.1%})"
            found.add(
                test.names[row],
                test.images[row],
                note=f"{true}; placed {distances[row]:,.0f} km away, at {found_at}",
                title="Farthest from their place",
            )
        return found

    def decisions(self, outputs: np.ndarray, steps: Sequence[float]) -> Decisions:
        """Return the first cell of each picture, and its lead over the second."""
        return first_of(outputs, steps[0])

    def answers(
        self,
        outputs: np.ndarray,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return the likeliest cells of each picture.

        Returns:
            probabilities, which is true; and predictions [{classes: [{label, score, latitude,
            longitude, radius_km, cell}]}]. The label is the place as a text.
        """
        best = np.argsort(-finite(outputs, name), axis=1, kind="stable")[:, :top]
        return {
            "probabilities": True,
            "predictions": [
                {"classes": [_answer(labels[index], float(row[index])) for index in order]}
                for row, order in zip(outputs, best.tolist(), strict=True)
            ],
        }

    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return one row per image and cell."""

        def cells(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
            return [(at["label"], f"{at['score']:.2%}") for at in one["classes"]]

        return ["image", "place", "score"], rows_by_image(found["predictions"], cells)

    def _distances(
        self, outputs: np.ndarray, labels: np.ndarray, classes: Sequence[str]
    ) -> np.ndarray:
        centres = np.array([place_of(cell)[:2] for cell in classes])
        return great_circle_km(centres[outputs.argmax(axis=1)], labels[:, :2])


def _answer(cell: str, score: float) -> dict[str, Any]:
    place = place_of(cell)
    around = f"{max(1, round(place.radius_km)):,} km around"
    return {
        "label": f"{_shown(place.latitude, place.longitude)}, {around}",
        "score": round(score, 4),
        "latitude": round(place.latitude, 5),
        "longitude": round(place.longitude, 5),
        "radius_km": round(place.radius_km, 3),
        "cell": cell,
    }


def _shown(latitude: float, longitude: float) -> str:
    """Return a place such as `48.14 N 11.58 E`."""
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.2f} {north} {abs(longitude):.2f} {east}"
