"""The section `suspects` of `result.json`: pictures whose labels are probably wrong."""

from dataclasses import dataclass

from mobilenet_tf.core.settings import number
from mobilenet_tf.runs.sections import Section, unknown_count, unknown_share


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A picture of which another class is likelier than its label.

    Attributes:
        file: File name within the dataset.
        label, predicted: Class that the data gives it, and the likeliest class.
        quality: See `Doubts`; the lower, the more doubtful.
        picture: Copy of the image, relative to the run folder.
    """

    file: str
    label: str
    predicted: str
    quality: float = number(least=0, most=1)
    picture: str | None = None


@dataclass(frozen=True, kw_only=True)
class Suspects(Section):
    """What networks that were not trained on a picture say about its label.

    Attributes:
        way: What they are: `features` (logistic regression on the features of the run's initial
            weights) or `training` (the run's network, trained from random weights).
        folds: Number of folds; each picture is predicted without its fold.
        images: Number of pictures.
        accuracy: Share of the pictures of which the likeliest class is the label.
        wrong: Estimated number of wrong labels, see `Doubts`.
        worst: The most doubtful ones; the table `suspects.csv` has all.
    """

    way: str | None = None
    folds: int | None = unknown_count()
    images: int | None = unknown_count()
    accuracy: float | None = unknown_share()
    wrong: int | None = unknown_count()
    worst: tuple[Suspect, ...] = ()
