"""`data` and `suspects`, which look at pictures before and after training; `app` registers them."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import print_path, show


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
    show(found, as_json)
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
    show(found, as_json)
    print_path(found["file"])
    print_path(Path(run) / "report.html")
