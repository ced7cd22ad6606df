"""`predict`, `inspect`, `evaluate` and `summary`, which need no TensorFlow."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import show, show_answers, show_failed
from mobilenet_tf.cli.streams import with_standard_input, writer_of


def predict(
    file: opt.File,
    images: opt.Images,
    top: Annotated[int, typer.Option(help="Number of results per image.")] = 3,
    batch: Annotated[int, typer.Option(help="Number of images in memory at once.")] = 64,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Print each result at once: csv, or jsonl (JSON lines)."),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="New folder for heat maps: where in each image its class was seen."),
    ] = None,
    mean: opt.Mean = None,
    std: opt.Std = None,
    labels: opt.Labels = None,
    as_json: opt.Json = False,
) -> None:
    """Show what a .tflite finds in images, such as the most likely classes.

    The exit code is 1 if some of the images cannot be read, and 2 if none can.
    """
    from mobilenet_tf.commands.predict import predict as start
    from mobilenet_tf.commands.predict import predict_parts

    named, stated = with_standard_input(images), opt.stated(mean, std, labels)
    options = {"top": top, "batch": batch, **stated}
    if explain is not None:
        from mobilenet_tf.commands.explain import check_explanations
        from mobilenet_tf.commands.explain import explain as write_maps

        check_explanations(explain)
    if form is None:
        found = start(file, named, **options)
        if explain is not None:
            readable = [one["image"] for one in found["predictions"]]
            found["heat_maps"] = write_maps(file, readable, explain, **stated)
        show_answers(found, as_json)
    else:
        write = writer_of(form)
        show_failed([one for part in predict_parts(file, named, **options) for one in write(part)])


def inspect(file: opt.File, as_json: opt.Json = False) -> None:
    """Show operators, sizes, quantization and metadata of a .tflite."""
    from mobilenet_tf.commands.inspect import inspect as start

    show(start(file), as_json)


def summary(
    name: Annotated[
        str | None, typer.Argument(help="Network; all of them if it is left out.")
    ] = None,
    alpha: opt.Alpha = 1.0,
    size: Annotated[str, typer.Option(help=opt.SIZE_HELP)] = "224",
    classes: Annotated[int, typer.Option(help="Number of classes.")] = 1000,
    channels: Annotated[int, typer.Option(help=opt.CHANNELS_HELP)] = 3,
    task: opt.Task = None,
    task_options: opt.TaskOptions = None,
    as_json: opt.Json = False,
) -> None:
    """Show parameters, multiply-adds and memory, counted from the papers' tables."""
    from mobilenet_tf.commands.summary import summary as start
    from mobilenet_tf.core.units import parse_sides
    from mobilenet_tf.tasks.registry import make_task

    found = start(
        name,
        alpha=alpha,
        size=parse_sides(size, "--size") or 224,
        classes=classes,
        channels=channels,
        task=make_task(task, task_options),
    )
    show(found, as_json)


def evaluate(
    what: opt.RunOrFile,
    data: Annotated[
        str | None,
        typer.Option(help="Images in one subfolder per class.", show_default="the run's"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of split and damage.")] = 0,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness", help="Also on blurred, noisy, compressed, dark and bright copies."
        ),
    ] = False,
    other: Annotated[
        str | None, typer.Option(help="Folder of pictures that show none of the classes.")
    ] = None,
    mean: opt.Mean = None,
    std: opt.Std = None,
    labels: opt.Labels = None,
    front_end: opt.As = None,
    as_json: opt.Json = False,
) -> None:
    """Measure accuracy, calibration and confusion of a .tflite on labelled images."""
    from mobilenet_tf.commands import evaluate as command

    stated = opt.stated(mean, std, labels)
    if front_end is None:
        found = command.evaluate(what, data=data, seed=seed, robustness=robustness, **stated)
    else:
        found = command.evaluate_as(what, front_end, data=data, seed=seed, **stated)
    if other is not None:
        from mobilenet_tf.commands.other_images import evaluate_other

        found["other"] = evaluate_other(what, other, data=data, seed=seed, **stated)
    show(found, as_json)
