"""The commands `choose`, `benchmark`, `android` and `web`; `app` registers them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.budget import (
    Adb,
    MaxFlash,
    MaxInstructions,
    MaxLatency,
    MaxMacs,
    MaxRam,
    MaxSize,
    parse_budget,
    parse_device,
)
from mobilenet_tf.cli.output import show


def choose(
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_latency: MaxLatency = None,
    max_macs: MaxMacs = None,
    max_instructions: MaxInstructions = None,
    device: Annotated[
        str | None,
        typer.Option(help=opt.DEVICE_HELP, show_default="cpu"),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(help="Number of classes.", show_default="those of --data, or 10"),
    ] = None,
    channels: Annotated[int, typer.Option(help=opt.CHANNELS_HELP)] = 3,
    threads: Annotated[int, typer.Option(help="Number of CPU threads.")] = 1,
    task: opt.Task = None,
    task_options: opt.TaskOptions = None,
    data: Annotated[str | None, typer.Option(help="Images for --trials.")] = None,
    trials: Annotated[
        int, typer.Option(help="Number of options to train briefly, the best first.")
    ] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(help="Number of epochs of each trial.", show_default="5"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the trials.", show_default="runs/trials")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the trade-off here (.png, .svg or .pdf).")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier plot.")
    ] = False,
    as_json: opt.Json = False,
    max_size: MaxSize = None,
    target: Annotated[str | None, typer.Option(hidden=True)] = None,
    adb: Adb = False,
) -> None:
    """Choose network, alpha and size for the best expected accuracy within a budget."""
    from mobilenet_tf.commands.choose import Purpose
    from mobilenet_tf.commands.choose import choose as command
    from mobilenet_tf.commands.trials import Trials
    from mobilenet_tf.core.plotting import PlotFile
    from mobilenet_tf.tasks.registry import make_task

    others: dict[str, Any] = {"count": trials, "epochs": epochs, "out": out}
    given = {name: value for name, value in others.items() if value is not None}
    result = command(
        parse_budget(
            max_flash=max_flash,
            max_ram=max_ram,
            max_latency=max_latency,
            max_macs=max_macs,
            max_instructions=max_instructions,
            max_size=max_size,
        ),
        device=parse_device(device, adb, target),
        purpose=Purpose(task=make_task(task, task_options), classes=classes, channels=channels),
        threads=threads,
        trials=Trials(data=data, **given) if data else None,
        plot=None if plot is None else PlotFile(plot, overwrite),
    )
    show(result, as_json)


def benchmark(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.tflite...")],
    threads: Annotated[str, typer.Option(help="Numbers of CPU threads, such as 1,2,4.")] = "1",
    rounds: Annotated[int, typer.Option(help="Number of measurements of each file.")] = 50,
    device: Annotated[
        str | None,
        typer.Option(
            help="cpu (this machine), phone, cortex-a53, cortex-a76 or arm-i8mm (emulated).",
            show_default="cpu",
        ),
    ] = None,
    profile: Annotated[bool, typer.Option(help="Measure every operator as well.")] = True,
    as_json: opt.Json = False,
    adb: Adb = False,
) -> None:
    """Measure how fast files are: median, spread, ratio, operators, memory; or instructions."""
    from mobilenet_tf.commands.benchmark import benchmark as command

    result = command(
        files,
        threads=opt.listed("threads", threads, int, "1,2,4") or (),
        rounds=rounds,
        device=parse_device(device, adb),
        profile=profile,
    )
    show(result, as_json)


def android(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the file in the app.", show_default="the run's or file's"),
    ] = None,
    demo: Annotated[
        Path | None, typer.Option(help="The Android project.", show_default="android_demo")
    ] = None,
    as_json: opt.Json = False,
) -> None:
    """Put a .tflite into the Android demo, with images and outputs to compare on the phone."""
    from mobilenet_tf.commands.android import android as command
    from mobilenet_tf.deployment.devices.android_app import DEMO

    demo = DEMO if demo is None else demo
    result = command(what, name=name, demo=demo)
    show(result, as_json)


def web(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the page.", show_default="web, beside the model"),
    ] = None,
    overwrite: opt.Overwrite = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the page on this machine until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of --serve; 0 takes a free one.")] = 8000,
    as_json: opt.Json = False,
) -> None:
    """Write a page that runs a model on camera frames and pictures in the browser, offline."""
    from mobilenet_tf.commands.web import web as command

    result = command(what, out=out, overwrite=overwrite, serve=serve, port=port)
    show(result, as_json)
