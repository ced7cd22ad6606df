"""How the terminal, the report and the model card speak of a task."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class Words:
    """The words of a task, and the metrics that they name.

    Attributes:
        noun: What a network of this task is, such as "image classifier".
        parts: What its classes are called.
        use: What it is for, as a phrase, such as "Classification of images that show ...".
        limits: What it cannot do, a sentence each.
        agreed: What a file and its network must agree on.
        agree, differ: The same as predicates, of both and of the file, with a share in braces.
        shares: Metrics from 0 to 1 that are measured of every form of a network; the first is its
            score.
        titles: Share -> its name in texts, where that is not the word itself.
        counted: Whether the score is a share of the test pictures, so that it has an interval.
        entries, columns: The list in a prediction whose entries are the rows of a CSV file, and the
            columns of a row; a prediction without such a list is one row.
        no_rows: What `predict` says in place of a table without rows.
        example: How a program goes on that has run a file with LiteRT's interpreter `model`.
        mediapipe: How a program goes on that has a picture as `image` of MediaPipe Tasks and
            `BaseOptions` of a file as `model`; "" if they cannot run such files.
    """

    noun: ClassVar[str]
    parts: ClassVar[str] = "classes"
    use: ClassVar[str]
    limits: ClassVar[tuple[str, ...]]
    agreed: ClassVar[str]
    agree: ClassVar[str] = "decide the same in {} of the cases"
    differ: ClassVar[str] = "decides differently from the trained network in {} of the cases"
    shares: ClassVar[tuple[str, ...]]
    titles: ClassVar[Mapping[str, str]] = MappingProxyType({})
    counted: ClassVar[bool] = False
    entries: ClassVar[str] = "classes"
    columns: ClassVar[tuple[str, ...]] = ("label", "score")
    no_rows: ClassVar[str] = ""
    example: ClassVar[str] = (
        'outputs = [model.get_tensor(one["index"]) for one in model.get_output_details()]\n'
    )

    mediapipe: ClassVar[str] = ""

    @classmethod
    def description(cls, classes: int, *, int8: bool = False) -> str:
        """Return what a network is, as the beginning of a sentence."""
        kind = f"int8 {cls.noun}" if int8 else cls.noun
        return f"{kind[0].upper()}{kind[1:]} of {classes:,} {cls.parts}"

    @classmethod
    def title(cls, share: str | None = None) -> str:
        """Return the name of one of `shares` in texts; by default that of the score."""
        share = share or cls.shares[0]
        return cls.titles.get(share, share.replace("_", " "))

    @classmethod
    def achievement(cls, share: str, images: str) -> str:
        """Return what a network with this score does, as a predicate.

        Args:
            share: The score, such as "93.1%".
            images: The pictures that it was measured on, such as "300 test images".
        """
        return f"reaches {share} {cls.title()} on {images}"


def rows_by_image(
    predictions: Iterable[Mapping[str, Any]],
    cells: Callable[[Mapping[str, Any]], Iterable[tuple[str, ...]]],
) -> list[tuple[str, ...]]:
    """Return `Task.answer_rows` of predictions: the name of an image stands in its first row only.

    Args:
        predictions: Each has its image.
        cells: Returns the rows of a prediction, without the image.
    """
    return [
        (one["image"] if rank == 0 else "", *row)
        for one in predictions
        for rank, row in enumerate(cells(one))
    ]
