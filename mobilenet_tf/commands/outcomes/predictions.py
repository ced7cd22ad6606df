"""What `predict`, `enroll` and `identify` return."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from rich.table import Table
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import table
from mobilenet_tf.tasks.registry import task_from_dict

_MOST_DRAWN = 12  # heat maps


class Predictions(Outcome):
    """What a `.tflite` says of images.

    Attributes:
        file: The `.tflite`.
        predictions: Per image, `image` and what `Task.answers` says of it; of a classifier,
            `accepted` and `classes`, the likeliest first, each with `label` and `score`.
        failed: Images that cannot be read: image and reason.
    """

    file: str
    predictions: list[dict[str, Any]]
    failed: list[dict[str, str]]

    def __rich__(self) -> Table | Text:
        task = task_from_dict(self.get("task"), self.file)
        columns, rows = task.answer_rows(self)
        return table(columns, rows) if rows else Text(task.no_rows)


class HeatMaps(Outcome):
    """Image -> its heat map, a PNG with the network's input and the same input in colours."""

    def __rich__(self) -> Table:
        return table(["image", "heat map"], list(self.items()))

    def drawings(self) -> Iterable[str]:
        return islice(self.values(), _MOST_DRAWN)


class Enrollment(Outcome):
    """A gallery after images were added.

    Attributes:
        gallery: The file.
        name: The name that the images were added to.
        images: All images of that name.
        names: All names.
        failed: Images that cannot be read: image and reason.
    """

    gallery: str
    name: str
    images: list[str]
    names: list[str]
    failed: list[dict[str, str]]

    def __rich__(self) -> Table:
        rows = [(image,) for image in self.images]
        return table([f"{self.name} in {self.gallery}"], rows)


class Identification(Outcome):
    """Who or what of a gallery images show.

    Attributes:
        gallery: The file.
        threshold: Similarity that the most similar image of a name must exceed.
        predictions: Per image: image; name, None where no similarity exceeds the threshold; and
            names, the most similar ones, each with name and similarity.
        failed: Images that cannot be read: image and reason.
    """

    gallery: str
    threshold: float
    predictions: list[dict[str, Any]]
    failed: list[dict[str, str]]

    def __rich__(self) -> Table:
        rows = [
            (
                *((one["image"], one["name"] or "unknown") if rank == 0 else ("", "")),
                near["name"],
                f"{near['similarity']:.3f}",
            )
            for one in self.predictions
            for rank, near in enumerate(one["names"])
        ]
        title = f"Accepted above {self.threshold:.3f}"
        return table(["image", "shows", "most similar", "similarity"], rows, title)
