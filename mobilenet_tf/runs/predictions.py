"""`predictions.json`: the class that a trial's network predicted for each test picture."""

from dataclasses import dataclass
from pathlib import Path

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text, read_json, write_text
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.datasets.dataset import Dataset

NAME = "predictions.json"
_LARGEST = 2**28  # bytes of such a file
NONE = -1  # where training diverged


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predictions for the test pictures, in their order.

    Attributes:
        fingerprint: That of the dataset.
        names: Name of each test picture.
        labels: True class of each test picture.
        float: Class that the float network predicts; `NONE` where its training diverged.
        int8: Class that the int8 file predicts; empty if there is no file.
    """

    fingerprint: str
    names: tuple[str, ...]
    labels: tuple[int, ...]
    float: tuple[int, ...]
    int8: tuple[int, ...] = ()

    def correct(self, form: str) -> dict[str, bool]:
        """Return whether each picture was classified correctly by the form `float` or `int8`."""
        pairs = zip(getattr(self, form), self.labels, strict=True)
        return dict(zip(self.names, (found == label for found, label in pairs), strict=True))

    @property
    def diverged(self) -> bool:
        """Whether training failed, so that nothing was predicted."""
        return NONE in self.float

    def is_of(self, data: Dataset) -> bool:
        """Return whether these are the test pictures of a dataset, at whatever size."""
        test = data.test
        return (self.names, self.labels) == (tuple(test.names), tuple(test.labels.tolist()))


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write the predictions of a trial, which is finished with that."""
    write_text(folder / NAME, json_text(to_plain(predictions)) + "\n")


def read_predictions(folder: Path) -> Predictions | None:
    """Return the predictions of a trial, or None if it is not finished.

    Raises:
        UserError: The file is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    values = read_json(path, _LARGEST)
    found: Predictions = from_plain(Predictions, values, f"{path}:")
    count = len(found.names)
    if not all(len(one) in (0, count) for one in (found.labels, found.float, found.int8)):
        raise UserError(f"{path} has lists of different lengths; delete it to repeat the trial.")
    return found
