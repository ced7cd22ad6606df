"""`data` and `suspects`, which look at pictures before and after training; `app` registers them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import print_path, show
from mobilenet_tf.cli.tables import table

_EXAMPLES = 2
_SHOWN = 10  # suspects


def data(
    source: Annotated[str, typer.Argument(metavar="DATA", help=opt.FILES_HELP)],
    task: opt.Task = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with thumbnails, such as data.html.")
    ] = None,
    group_by: opt.GroupBy = None,
    seed: Annotated[int, typer.Option(help="Seed of the automatic split.")] = 0,
    overwrite: opt.Overwrite = False,
    as_json: opt.Json = False,
) -> None:
    """Find duplicates, unusual pictures and unreadable files before training."""
    from mobilenet_tf.commands.data import data as start
    from mobilenet_tf.tasks.registry import make_task

    found = start(
        source,
        task=make_task(task),
        html=html,
        group_by=group_by or "",
        seed=seed,
        overwrite=overwrite,
    )
    show(found, as_json, _tables)
    if html is not None:
        print_path(html)


def suspects(
    run: opt.Run,
    folds: Annotated[
        int, typer.Option(help="Number of folds; each image is judged without its fold.")
    ] = 5,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Number of epochs, if the network is trained once per fold.",
            show_default="the run's",
        ),
    ] = None,
    overwrite: opt.Overwrite = False,
    as_json: opt.Json = False,
) -> None:
    """Find pictures whose labels are probably wrong; writes suspects.csv, to correct."""
    from mobilenet_tf.commands.suspects import suspects as start

    found = start(run, folds=folds, epochs=epochs, overwrite=overwrite)
    show(found, as_json, _suspects_table)
    print_path(found["file"])
    print_path(Path(run) / "report.html")


def _suspects_table(found: dict[str, Any]) -> Group:
    rows = [
        (one["file"], one["label"], one["predicted"], f"{one['quality']:.2f}")
        for one in found["worst"][:_SHOWN]
    ]
    said = (
        f"An estimated {found['wrong']:,} of {found['images']:,} labels are wrong; "
        f"{found['listed']:,} doubtful ones are in {found['file']}."
    )
    return Group(table(["file", "label", "predicted", "quality"], rows), Text(said))


def _tables(found: dict[str, Any]) -> Group:
    from mobilenet_tf.datasets.survey.findings import findings_of

    splits = list(next(iter(found["classes"].values()), {}))
    counts = [
        (label, *(f"{by_split[split]:,}" for split in splits))
        for label, by_split in found["classes"].items()
    ]
    rate = found["images"] / max(found["seconds"], 1e-6)
    lines = [
        f"{one}: {', '.join(one.groups[0][:_EXAMPLES])} ({one.details[0]})"
        for one in findings_of(found["findings"])
    ]
    lines.append(f"{found['images']:,} images at {rate:,.0f} per second. {found['problem']}")
    return Group(table(["class", *splits], counts), Text("\n".join(lines)))
