"""What follows from a result: titles, confidence intervals, confused classes."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from mobilenet_tf.deployment.report.format import NOT_MEASURED, percent
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.sections import Curves

FORMS = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}
_STAGES = {
    **{"prune": "pruning", "cluster": "clustering", "int4": "4 bits"},
    **{"pq": "product quantization", "hash": "hashed weights", "qat": "QAT"},
}
_Z95 = 1.959964

Confusion = Sequence[Sequence[int]]  # rows are true classes, columns predicted ones


def scores(result: Result) -> dict[str, float]:
    """Return form -> score of the forms that were measured, in the order of `FORMS`."""
    known = ((form, getattr(result.score, form)) for form in FORMS)
    return {form: share for form, share in known if share is not None}


def curves_by_stage(result: Result) -> dict[str, Curves]:
    """Return title -> curves of the stages of training in their order, float training first."""
    stages = result.compression.stages or ("qat",)
    known = {_STAGES[stage]: getattr(result.history, stage) or {} for stage in stages}
    return {"float": result.history.float or {}, **known}


def wilson(share: float, number: int) -> tuple[float, float]:
    """Return the 95% score interval of a share of `number` trials (Wilson, 1927)."""
    z = _Z95**2 / number
    centre = (share + z / 2) / (1 + z)
    spread = sqrt(share * (1 - share) * z + z**2 / 4) / (1 + z)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def interval(result: Result, form: str) -> str:
    """Return the interval of one form's score, as "94.7% to 98.7%"."""
    share, number = getattr(result.score, form), counted_images(result)
    if share is None or not number:
        return NOT_MEASURED
    return " to ".join(map(percent, wilson(share, number)))


def counted_images(result: Result) -> int:
    """Return the number of images of which the score is a share; 0 if it is none, or unknown."""
    return result.test_images if result.task_class.counted else 0


def network_title(result: Result) -> str:
    """Return the network in one line."""
    model, image = result.model, result.model.input
    if not model:
        return "Unknown network"
    shape = f"{image.width} × {image.height} × {image.channels}" if image else "unknown input"  # noqa: RUF001
    name = model.name or "unknown"
    if model.alpha is None:
        return f"{name}, {shape}"
    return f"MobileNet {name}, alpha {model.alpha:g}, {shape}"


def dataset_title(result: Result) -> str:
    """Return the name of the dataset; see `without_private_folders`."""
    return without_private_folders(result.data.source or "unknown images")


def without_private_folders(path: str) -> str:
    """Return a relative path as it is, and only the last part of any other path."""
    parts = path.replace("\\", "/").rstrip("/").split("/")
    absolute = path[:1] in "/\\~" or path[1:2] == ":"
    return parts[-1] or path if absolute or ".." in parts else path


def confused_pairs(confusion: Confusion, most: int) -> list[tuple[int, int, int]]:
    """Return (true class, predicted class, images) of the most frequent mistakes."""
    wrong = np.array(confusion)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    cells = (divmod(int(cell), len(wrong)) for cell in order)
    pairs = [(true, predicted, int(wrong[true, predicted])) for true, predicted in cells]
    return [pair for pair in pairs if pair[2]]


def recalls(confusion: Confusion) -> list[float | None]:
    """Return per class the share of its images that was predicted correctly; None for none."""
    return [row[i] / total if (total := sum(row)) else None for i, row in enumerate(confusion)]
