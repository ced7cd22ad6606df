"""The section of the report on labels that are probably wrong."""

from mobilenet_tf.deployment.report.format import count, decimal, percent, plural
from mobilenet_tf.deployment.report.markup import gallery, name, paragraph, section
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result

WAYS = {
    "features": "logistic regression on the features of the run's initial weights",
    "training": "the run's network, trained from random weights",
}


def suspects(result: Result, run: RunFolder) -> str:
    """Return the section on suspects, or nothing before they were looked for."""
    found = result.suspects
    if not found.images:
        return ""
    note = (
        f"An estimated {count(found.wrong)} of {plural(found.images, 'label')} are wrong. Each "
        f"image was predicted without its fold, one of {count(found.folds)}, by "
        f"{WAYS.get(found.way or '', 'other networks')}, which agrees with "
        f"{percent(found.accuracy)} of the labels. Label → likeliest class; quality of the label "
        f"from 0 to 1; file. All that are doubtful are in {run.suspects.name}: correct its column "
        "label, and train again with --corrections."
    )
    items = (
        (
            item.picture,
            f"{name(item.label)} → <b>{name(item.predicted)}</b>",
            f"{decimal(item.quality, 2)} · {name(item.file)}",
        )
        for item in found.worst
    )
    return section("Label suspects", note, gallery(run.path, items) or paragraph("None."))
