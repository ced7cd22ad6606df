"""What a dataset holds, in one line: classes, splits, what was left out and why."""

from collections import Counter
from collections.abc import Sequence

from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.plain import short_name

_SHOWN_CLASSES = 6


def describe(data: Dataset) -> str:
    """Return one line about a dataset: classes, images per split, what was left out and why."""
    counts = f"{len(data.train):,} training, {len(data.validation):,} validation"
    parts = [
        f"{data.source}: {classes_text(data.classes) if data.classes else 'no labels'}",
        f"{counts} and {len(data.test):,} test images",
        *left_out_text(data.skipped),
        *reasons_text(data.repaired, "repaired"),
        *data.notes,
    ]
    return "; ".join(parts) + "."


def classes_text(classes: Sequence[str]) -> str:
    """Return the number of classes and the names of the first ones."""
    shown = ", ".join(map(short_name, classes[:_SHOWN_CLASSES]))
    more = ", ..." if len(classes) > _SHOWN_CLASSES else ""
    return f"{len(classes):,} class{'es' * (len(classes) != 1)} ({shown}{more})"


def left_out_text(skipped: Sequence[dict[str, str]]) -> list[str]:
    """Return how much was left out for which reason, with an example of each; or nothing."""
    return reasons_text(skipped, "left out")


def reasons_text(entries: Sequence[dict[str, str]], done: str) -> list[str]:
    """Return what was done to how many files for which reason; or nothing.

    Args:
        entries: {"file": ..., "reason": ...} of each of them.
        done: What was done, such as "left out".
    """
    if not entries:
        return []
    reasons = Counter(entry["reason"] for entry in entries)
    examples = {entry["reason"]: entry["file"] for entry in reversed(entries)}
    if len(reasons) == 1:
        (reason,) = reasons
        return [f"{_counted(entries)} {done} because {reason} ({short_name(examples[reason])})"]
    causes = ", ".join(
        f"{count:,} because {reason} ({short_name(examples[reason])})"
        for reason, count in reasons.most_common()
    )
    return [f"{_counted(entries)} {done}: {causes}"]


def _counted(skipped: Sequence[dict[str, str]]) -> str:
    """Return the number of entries; a folder counts once, whatever lies in it."""
    folders = all(entry["file"].endswith("/") for entry in skipped)
    kind = f" folder{'s' * (len(skipped) != 1)}" if folders else ""
    return f"{len(skipped):,}{kind}"
